"""A piece of surface in the mouth, made of points that others move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Weights = dict[int, float]  # a place on the mesh: vertices, and what each counts


@dataclass(frozen=True)
class Sheet:
    rows: list[Weights]  # a vertex each
    offset: np.ndarray  # (E,3) mm, on top
    triangles: np.ndarray  # (T,3): its own vertices from 0 on; below 0, ~v is vertex v of the head
    albedo: np.ndarray  # (E,3) BGR in full light


def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """(T,3) counter-clockwise seen from where rows run up and columns to the right."""
    low = np.arange((rows - 1) * columns).reshape(rows - 1, columns)[:, :-1].ravel()
    return np.concatenate(
        [
            np.stack([low, low + 1, low + 1 + columns], axis=1),
            np.stack([low, low + 1 + columns, low + columns], axis=1),
        ]
    )


def mean_of(places: list[Weights]) -> Weights:
    total: Weights = {}
    for place in places:
        for vertex, weight in place.items():
            total[vertex] = total.get(vertex, 0.0) + weight / len(places)
    return total
