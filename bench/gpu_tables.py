"""Puts the tables that are computed into docs/gpu.md: measured, roofline and kernels (which needs nvcc).

python bench/gpu_tables.py [measured] [roofline] [kernels]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gpu_report
import kernel_table
import roofline
from marked_tables import with_table

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "gpu.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    kinds = ("measured", "roofline", "kernels")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(kinds)} (default: all)")
    chosen = parser.parse_args().kinds or kinds
    if unknown := sorted(set(chosen) - set(kinds)):
        parser.error(f"got {', '.join(unknown)}, expected some of {', '.join(kinds)}")
    text = DOCUMENT.read_text(encoding="utf-8")
    if "measured" in chosen:
        text = with_table(text, "measured", gpu_report.tables())
    if "roofline" in chosen:
        for width, height in ((512, 512), (1920, 1080)):
            text = with_table(text, f"roofline {width}x{height}", roofline.table(width, height))
    if "kernels" in chosen:
        text = with_table(text, "kernels", kernel_table.table(kernel_table.all_kernels()))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
