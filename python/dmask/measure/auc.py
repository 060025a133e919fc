"""How well a score tells two groups apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Probability that a positive scores above a negative, ties counting half.

    NaN where a group is empty, or where a score is NaN: it says nothing of either.
    """
    above, below = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    scores = np.concatenate([above, below])
    if not above.size or not below.size or np.isnan(scores).any():
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - 0.5 * (counts - 1))[place]  # the mean rank among equals
    n, m = above.size, below.size
    return float((rank[:n].sum() - n * (n + 1) / 2) / (n * m))
