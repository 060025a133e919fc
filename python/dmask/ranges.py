"""Numbers and places on the command line: argparse says what was expected, and exits with 2."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

LARGEST_PX = 16384  # of a picture's side, as the core has it
NOT_EMPTY = "expected a place: is a variable unset?"


def place(text: str) -> Path:
    """A file's or folder's name. An empty one, as of an unset variable, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError(f"got an empty name, {NOT_EMPTY}")
    return Path(text)


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """A whole number from `low` on, up to `high` where there is one."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number {_range(low, high)}")
        return value

    return convert


def number(low: float, high: float | None = None) -> Callable[[str], float]:
    """A finite number from `low` on, up to `high` where there is one."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= low and (high is None or value <= high)):
            raise argparse.ArgumentTypeError(f"got {text!r}, expected a number {_range(low, high)}")
        return value

    return convert


def _range(low: float, high: float | None) -> str:
    return f"from {low:g} on" if high is None else f"from {low:g} to {high:g}"
