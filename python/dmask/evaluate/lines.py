"""Figures as lines: name and value."""

from __future__ import annotations

from typing import Any


def as_lines(figures: dict[str, Any]) -> str:
    width = max(map(len, figures))
    return "\n".join(
        f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}"
        for name, value in figures.items()
    )
