"""HTML and SVG that no text in it can break: it is escaped unless it is markup already."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple


class Markup(str):
    """Text that is HTML; only this module makes it of other text."""


Child = str | float | int | None


def element(name: str, *children: Child, **attributes: str | float | int | bool | None) -> Markup:
    """<name …>children</name>; `class_` is class, `aria_label` aria-label, False and None are left out."""
    head = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-") if key != "viewBox" else key
        head.append(shown if value is True else f'{shown}="{html.escape(str(value), quote=True)}"')
    return Markup(f"<{' '.join(head)}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    return Markup("".join(escaped(child) for child in children if child is not None))


def escaped(child: Child) -> Markup:
    return child if isinstance(child, Markup) else Markup(html.escape(str(child), quote=True))


class Wide(NamedTuple):
    """A cell over two columns: what is of both eyes."""

    child: Child


Row = list["Child | Wide"]


def cell_element(cell: Child | Wide) -> Markup:
    return element("td", cell.child, colspan=2) if isinstance(cell, Wide) else element("td", cell)


def table(
    header: Sequence[Child], rows: Sequence[Sequence[Child | Wide]], caption: str, class_: str = ""
) -> Markup:
    """The first cell of each row is its heading. On narrow screens it scrolls by itself, by keyboard, too."""
    heads = [element("th", cell, scope="col") for cell in header]
    body = []
    for heading, *cells in rows:
        assert not isinstance(heading, Wide)
        body.append(element("tr", element("th", heading, scope="row"), *map(cell_element, cells)))
    whole = element(
        "table",
        element("caption", caption, class_="hidden"),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        class_=class_ or None,
    )
    return element("div", whole, class_="scrolls", tabindex=0, role="region", aria_label=caption)
