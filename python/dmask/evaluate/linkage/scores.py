"""How well an attacker links: ranks with Wilson intervals, AUC with a jackknife over people, TAR at a FAR.

An attacker gives (Q, G) scores, queries against a gallery, higher where he takes two for one person; query i
and gallery i are of one person. An undetected face is scored as its picture is, never dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.measure.auc import auc as auc_of
from dmask.measure.interval import Z95


class Share(NamedTuple):
    """A share of trials with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float


def wilson(hits: int, trials: int) -> Share:
    """Raises ValueError for no trials."""
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"got {hits} hits of {trials} trials; expected 0 to all of at least one")
    share, z2 = hits / trials, Z95 * Z95
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return Share(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def ranks(scores: np.ndarray) -> np.ndarray:
    """(Q,) how many of the gallery score above the own one, and half of those that score the same: scores
    that are all alike are no hit."""
    check(scores)
    own = np.diag(scores)[:, None]
    others = ~np.eye(len(scores), dtype=bool)
    return np.asarray(((scores > own) & others).sum(1) + 0.5 * ((scores == own) & others).sum(1))


def rank_share(scores: np.ndarray, rank: int) -> Share:
    """Queries whose own picture is among the first `rank`."""
    return wilson(int((ranks(scores) < rank).sum()), len(scores))


def auc(scores: np.ndarray) -> float:
    """That an own pair scores above another's; 0.5 where nothing is learnt."""
    check(scores)
    return auc_of(*split(scores))


def auc_with_interval(scores: np.ndarray) -> Share:
    """With the 95 % interval of the jackknife that leaves out one person at a time, with all his pairs: pairs
    of one person are not independent."""
    n, whole = len(scores), auc(scores)
    if n < 3:
        raise ValueError(f"got {n} people; expected 3 or more for an interval")
    own, others = split(scores)
    by_own = wins(own, others) * others.size  # of each own pair, summed over all others'
    total = by_own.sum()
    left_out = np.empty(n)
    for i in range(n):
        mine = np.concatenate([np.delete(scores[i], i), np.delete(scores[:, i], i)])  # others' pairs with him
        against_mine = wins(own, mine) * mine.size
        rest = total - by_own[i] - against_mine.sum() + against_mine[i]
        left_out[i] = rest / ((n - 1) * (n - 1) * (n - 2))
    half = Z95 * float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
    return Share(whole, max(0.0, whole - half), min(1.0, whole + half))


def tar_at_far(scores: np.ndarray, far: float) -> float:
    """Own pairs that are accepted at the threshold at which this share of others' pairs is."""
    check(scores)
    own, others = split(scores)
    threshold = np.quantile(others, 1 - far, method="higher")
    return float((own > threshold).mean())


def roc(scores: np.ndarray, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """False and true accept rates, both rising."""
    own, others = split(scores)
    thresholds = np.quantile(np.concatenate([own, others]), np.linspace(1, 0, points))
    return (
        np.array([(others >= t).mean() for t in thresholds]),
        np.array([(own >= t).mean() for t in thresholds]),
    )


def split(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Own pairs, others' pairs."""
    return np.diag(scores), scores[~np.eye(len(scores), dtype=bool)]


def wins(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each own score, the share of the others below it; those that are the same count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, own, "left") + np.searchsorted(ordered, own, "right")
    return np.asarray(below / (2 * others.size))


def check(scores: np.ndarray) -> None:
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or len(scores) < 2:
        raise ValueError(
            f"got scores of {scores.shape}; expected as many queries as gallery pictures, 2 or more"
        )
    if not np.isfinite(scores).all():
        raise ValueError("got scores that are no numbers; expected one of every pair, undetected faces too")
