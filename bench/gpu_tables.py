"""Puts the tables that are computed into docs/gpu.md: kernels (needs nvcc) and roofline.

python bench/gpu_tables.py
"""

from __future__ import annotations

import re
from pathlib import Path

import kernel_table
import roofline

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "gpu.md"


def with_table(text: str, name: str, table: str) -> str:
    """The document with the table between its marks `<!-- NAME -->` and `<!-- end -->`."""
    found, count = re.subn(
        rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m: m[1] + table + m[2], text, flags=re.S
    )
    if count != 1:
        raise SystemExit(f"{DOCUMENT} has {count} places for the table {name}, expected one")
    return found


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    text = with_table(text, "kernels", kernel_table.table(kernel_table.all_kernels()))
    for width, height in ((512, 512), (1920, 1080)):
        text = with_table(text, f"roofline {width}x{height}", roofline.table(width, height))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
