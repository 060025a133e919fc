"""Puts what is measured of a recording, and by which thresholds, into docs/clinical.md.

python bench/measure_tables.py
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from marked_tables import table, with_table

from dmask.measure.measured import load_measures
from dmask.measure.settings import Settings

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "clinical.md"


def measures() -> str:
    rows = [
        [f"`{one.name}`", one.what + ("" if one.validated else "; not validated"), one.source]
        for one in load_measures()
    ]
    return table(["measure", "what it is", "definition"], rows, numbers=False)


def thresholds() -> str:
    rows = []
    for one in fields(Settings):
        low, high = one.metadata["range"]
        told = f"{one.default:g} ({low:g} to {high:g})"
        rows.append([f"`{one.name}`", told, one.metadata["what"], one.metadata["source"]])
    return table(["threshold", "default (range)", "what it is", "source"], rows, numbers=False)


TABLES = {"measures": measures, "thresholds": thresholds}


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, made in TABLES.items():
        text = with_table(text, name, made())
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
