"""Scores of every pair by an attacker who has learnt from neither of the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Attacker(Protocol):
    def to_released(self, query: np.ndarray, gallery: np.ndarray) -> np.ndarray: ...


def crossed(
    first: np.ndarray,
    second: np.ndarray,
    learn: Callable[[np.ndarray, np.ndarray], Attacker],
    folds: int = 10,
    seed: int = 0,
    shuffled: bool = False,
) -> np.ndarray:
    """(N, N) scores of first against second recordings.

    The gallery was not learnt from either, as what an attacker has seen stands out. The people of a pair of
    folds are left out, and as many where both are one. With `shuffled` he learns from pairs of two people.
    """
    if folds < 3 or folds > len(first):
        raise ValueError(f"got {folds} folds of {len(first)} people; expected 3 folds or more")
    random = np.random.default_rng(seed)
    parts = np.array_split(random.permutation(len(first)), folds)
    scores = np.empty((len(first), len(first)))
    for i in range(folds):
        for j in range(i, folds):
            also = j if j != i else (i + 1) % folds
            others = np.setdiff1d(np.arange(len(first)), np.concatenate([parts[i], parts[also]]))
            paired = random.permutation(others) if shuffled else others
            attacker = learn(first[others], second[paired])
            for a, b in {(i, j), (j, i)}:
                scores[np.ix_(parts[a], parts[b])] = attacker.to_released(first[parts[a]], second[parts[b]])
    return scores
