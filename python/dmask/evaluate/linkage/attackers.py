"""Attackers that learn from their own masks, of other people than those whom they attack.

Features are (N, D), NaN where a table's cell is empty; embeddings (N, E) are a frozen recogniser's of the
originals. Scores are log-likelihood ratios of "one person" against "two", (Q, G).
"""

from __future__ import annotations

import numpy as np

RIDGE = 1e-2  # of standardised features
WITHIN_RIDGE = 0.1  # of standardised features, on what varies within a person
COMPONENTS = 40
EMBEDDING_COMPONENTS = 120
PICTURE_COMPONENTS = 150
LEAST_CORRELATION = 0.05  # on the half that did not train: below it a direction is noise
MOST_CORRELATION = 0.95


class Standard:
    """Features without empty cells, each of mean 0 and deviation 1 over those it was made of.

    Whether a cell is empty is a feature of its own, where that differs between people.
    """

    def __init__(self, features: np.ndarray):
        empty = ~np.isfinite(features)
        self.told = np.flatnonzero(empty.any(0) & ~empty.all(0))
        self.median = medians(features)
        filled = self.filled(features)
        self.mean, deviation = filled.mean(0), filled.std(0)
        self.deviation = np.where(deviation > 1e-9, deviation, np.inf)  # what never varies tells nothing

    def filled(self, features: np.ndarray) -> np.ndarray:
        empty = ~np.isfinite(features)
        return np.hstack([np.where(empty, self.median, features), empty[:, self.told].astype(float)])

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return np.asarray((self.filled(features) - self.mean) / self.deviation)


def ratio(a: np.ndarray, b: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """(Q, G) log ratio of two (., K) standard normal codes: with these correlations, or independent."""
    r = np.clip(correlation, 1e-6, MOST_CORRELATION)
    rest = 1 - r**2
    alone = [-(r**2 / (2 * rest) * code**2).sum(1) for code in (a, b)]
    return np.asarray(alone[0][:, None] + alone[1][None] + (a * (r / rest)) @ b.T - 0.5 * np.log(rest).sum())


class CanonicalCorrelation:
    """The directions of features and embeddings that go together most (Hotelling 1936).

    How much they do is taken from the half of the people on whom they were not found.
    """

    def __init__(self, features: np.ndarray, embeddings: np.ndarray):
        check_same(len(features), len(embeddings))
        half = len(features) // 2
        first = _Directions(features[:half], embeddings[:half])
        x, y = first.features(features[half:]), first.embeddings(embeddings[half:])
        found = np.array([correlation(x[:, k], y[:, k]) for k in range(x.shape[1])])
        self._directions = _Directions(features, embeddings)
        count = min(len(found), self._directions.count)
        held = np.sort(found)[::-1][:count]
        self.correlation = np.where(held < LEAST_CORRELATION, 0.0, held)

    def to_faces(self, released: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        k = len(self.correlation)
        d = self._directions
        return ratio(d.features(released)[:, :k], d.embeddings(embeddings)[:, :k], self.correlation)

    def to_released(self, query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        k = len(self.correlation)
        d = self._directions
        return ratio(d.features(query)[:, :k], d.features(gallery)[:, :k], self.correlation)


class _Directions:
    def __init__(self, features: np.ndarray, embeddings: np.ndarray):
        self._standard = Standard(features)
        x = self._standard(features)
        self._mean = embeddings.mean(0)
        y = embeddings - self._mean
        self._axes = principal_axes(y, EMBEDDING_COMPONENTS)
        y = y @ self._axes
        cxx = x.T @ x / len(x) + RIDGE * np.eye(x.shape[1])
        cyy = y.T @ y / len(y)
        cyy += RIDGE * np.trace(cyy) / len(cyy) * np.eye(len(cyy))
        wx, wy = inverse_root(cxx), inverse_root(cyy)
        left, _, right = np.linalg.svd(wx @ (x.T @ y / len(x)) @ wy, full_matrices=False)
        self._x, self._y = wx @ left[:, :COMPONENTS], wy @ right[:COMPONENTS].T
        self.count = self._x.shape[1]

    def features(self, features: np.ndarray) -> np.ndarray:
        return np.asarray(self._standard(features) @ self._x)

    def embeddings(self, embeddings: np.ndarray) -> np.ndarray:
        return np.asarray(((embeddings - self._mean) @ self._axes) @ self._y)


class Discriminant:
    """What varies between people against what varies within one, from pairs of other people (a two-covariance
    model, as PLDA): needs no recogniser. `others`, of one picture each, tell how people vary."""

    def __init__(self, first: np.ndarray, second: np.ndarray, others: np.ndarray | None = None):
        check_same(len(first), len(second))
        everybody = np.vstack([first, second] if others is None else [first, second, others])
        self._standard = Standard(everybody)
        a, b = self._standard(first), self._standard(second)
        within = (a - b).T @ (a - b) / (2 * len(a))
        total = np.atleast_2d(np.cov(self._standard(everybody).T))
        root = np.linalg.inv(np.linalg.cholesky(within + WITHIN_RIDGE * np.eye(len(within))))
        between, axes = np.linalg.eigh(root @ (total - within) @ root.T)
        between = np.maximum(between[::-1][:COMPONENTS], 0.0)
        self._project = (root.T @ axes[:, ::-1])[:, :COMPONENTS] / np.sqrt(between + 1)
        self.correlation = between / (between + 1)

    def to_released(self, query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        a, b = (self._standard(one) @ self._project for one in (query, gallery))
        return ratio(a, b, self.correlation)


class Looks:
    """Pictures as linear methods take them: the components in which those of others differ most."""

    def __init__(self, pictures: np.ndarray):
        flat = flattened(pictures)
        self._mean = flat.mean(0)
        self._axes = principal_axes(flat - self._mean, PICTURE_COMPONENTS)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        return np.asarray((flattened(pictures) - self._mean) @ self._axes)


def flattened(pictures: np.ndarray) -> np.ndarray:
    """(N, D) of (N, S, S), half as wide and high."""
    n, side, _ = pictures.shape
    half = side // 2
    return np.asarray(pictures.reshape(n, half, 2, half, 2).mean((2, 4)).reshape(n, half * half))


def principal_axes(centred: np.ndarray, count: int) -> np.ndarray:
    """(D, count) of (N, D), those of the largest variance first."""
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(axes[:, ::-1][:, :count])


class Chosen:
    """A discriminant of the features that stay most with a person, as many as are asked for: of many features
    of few people the others are noise."""

    def __init__(self, first: np.ndarray, second: np.ndarray, count: int):
        check_same(len(first), len(second))
        self._columns = np.argsort(-constancy(first, second))[:count]
        self._discriminant = Discriminant(first[:, self._columns], second[:, self._columns])

    def to_released(self, query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        return self._discriminant.to_released(query[:, self._columns], gallery[:, self._columns])


def constancy(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(D,) intraclass correlation of each feature: the share of its variance that is between people; -1 of
    what never varies."""
    standard = Standard(np.vstack([first, second]))
    a, b = (standard(one)[:, : first.shape[1]] for one in (first, second))
    total = np.vstack([a, b]).var(0)
    within = ((a - b) ** 2).mean(0) / 2
    return np.where(total > 1e-9, 1 - within / np.maximum(total, 1e-9), -1.0)


def medians(features: np.ndarray) -> np.ndarray:
    """(D,) of what is there of each; 0 of nothing."""
    known = np.isfinite(features)
    ordered, count = np.sort(np.where(known, features, np.inf), 0), known.sum(0)
    columns = np.arange(features.shape[1])
    both = ordered[np.maximum(count - 1, 0) // 2, columns], ordered[count // 2 % len(ordered), columns]
    return np.where(count > 0, 0.5 * (both[0] + both[1]), 0.0)


def inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh(matrix)
    return np.asarray(axes / np.sqrt(np.maximum(values, 1e-12)) @ axes.T)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """0 where one of them never varies."""
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def check_same(first: int, second: int) -> None:
    if first != second or first < 8:
        raise ValueError(f"got {first} and {second} people to learn from; expected the same, 8 or more")
