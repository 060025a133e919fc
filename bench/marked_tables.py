"""Tables of documents: as Markdown, and into their place between two marks."""

from __future__ import annotations

import re


def table(head: list[str], rows: list[list[str]], numbers: bool = True) -> str:
    lines = [head, ["---"] + ["---:" if numbers else "---"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_table(text: str, name: str, table: str) -> str:
    """The document with the table between its marks `<!-- NAME -->` and `<!-- end -->`."""
    found, count = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + table + "\n" + m[2], text, flags=re.S
    )
    if count != 1:
        raise SystemExit(f"the document has {count} places for the table {name}, expected one")
    return found
