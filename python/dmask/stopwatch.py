"""How long something takes, on the clock that does not jump."""

from __future__ import annotations

import time
from collections.abc import Callable


def stopwatch() -> Callable[[], float]:
    """Starts now; each call says how many milliseconds have gone by since."""
    start_s = time.perf_counter()
    return lambda: 1e3 * (time.perf_counter() - start_s)
