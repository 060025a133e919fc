"""The largest of some errors, NaN included: what could not be measured must not pass for a small error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def largest(errors: ArrayLike) -> float:
    """NaN where an error is NaN, so that `largest(errors) <= bar` fails: Python's max() may drop it.

    Raises ValueError for no errors at all.
    """
    return float(np.max(np.asarray(errors, np.float64)))
