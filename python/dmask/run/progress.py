"""A progress bar on stderr, drawn at most ten times a second."""

from __future__ import annotations

import sys
import time

WIDTH = 24


class Progress:
    def __init__(self, enabled: bool, label: str = "", unit: str = "frames"):
        self._enabled, self._unit = enabled, unit
        self._label = f"{label} " if label else ""
        self._start_s = self._drawn_s = time.monotonic()

    def show(self, frames: float, total: int | None) -> None:
        """`frames` are finished out of `total` (None: not known)."""
        now_s = time.monotonic()
        if not self._enabled or now_s - self._drawn_s < 0.1:
            return
        self._drawn_s = now_s
        rate_fps = frames / max(1e-6, now_s - self._start_s)
        text = f"{frames:.0f} {self._unit}, {rate_fps:.1f}/s"
        if total:
            share = min(1.0, frames / total)
            left_s = (total - frames) / rate_fps if rate_fps > 0 else 0
            bar = "#" * round(share * WIDTH)
            minutes, seconds = divmod(max(0, round(left_s)), 60)
            text = f"[{bar:<{WIDTH}}] {share:4.0%}  {text}, {minutes}:{seconds:02d} left"
        self._write(f"\r{self._label}{text}\x1b[K")

    def clear(self) -> None:
        if self._enabled:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # nobody looks; the work goes on
            self._enabled = False
