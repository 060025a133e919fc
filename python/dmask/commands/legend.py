"""What the commands that write masks take for a legend."""

from __future__ import annotations

import argparse


def add_legend_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--legend",
        action="store_true",
        help="a strip below the mask says what it is: version, profile and what grey means",
    )
