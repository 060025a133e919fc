"""Scores of every pair by an attacker who has learnt from neither of the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

Scores = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (R, C) of some queries against some of the gallery


class Attacker(Protocol):
    def to_released(self, query: np.ndarray, gallery: np.ndarray) -> np.ndarray: ...


def crossed(
    people: int, without: Callable[[np.ndarray], Scores], folds: int = 10, seed: int = 0
) -> np.ndarray:
    """(N, N) of N people; `without` gives the scores of an attacker who did not learn from some of them.

    People whom he knows would stand out in the gallery, so the people of a pair of folds are left out; and as
    many where both are one: scores of attackers who learnt from more would not compare.
    """
    if folds < 3 or folds > people:
        raise ValueError(f"got {folds} folds of {people} people; expected 3 folds or more")
    parts = np.array_split(np.random.default_rng(seed).permutation(people), folds)
    scores = np.empty((people, people))
    for i in range(folds):
        for j in range(i + 1, folds):
            of = without(np.concatenate([parts[i], parts[j]]))
            blocks = [(i, j), (j, i)]
            blocks += [(a, a) for a, after in ((i, j), (j, i)) if after == (a + 1) % folds]
            for a, b in blocks:
                scores[np.ix_(parts[a], parts[b])] = of(parts[a], parts[b])
    return scores


def crossed_pairs(
    first: np.ndarray,
    second: np.ndarray,
    learn: Callable[[np.ndarray, np.ndarray], Attacker],
    folds: int = 10,
) -> np.ndarray:
    """(N, N) of first against second releases of N people, (N, D) each, by attackers who learn from pairs."""

    def without(left_out: np.ndarray) -> Scores:
        others = np.setdiff1d(np.arange(len(first)), left_out)
        attacker = learn(first[others], second[others])
        return lambda rows, columns: attacker.to_released(first[rows], second[columns])

    return crossed(len(first), without, folds)
