"""Scripts of others that a page holds: beside this file where dmask is installed, else in the checkout."""

from __future__ import annotations

from pathlib import Path

from dmask.errors import Error

INSTALLED = Path(__file__).parent / "uplot"
CHECKOUT = Path(__file__).parents[3] / "third_party" / "uplot"


def uplot(name: str) -> str:
    """The text of uPlot.iife.min.js or uPlot.min.css."""
    for folder in (INSTALLED, CHECKOUT):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise Error(f"{name} is missing from this installation; install dmask again: pip install .")
