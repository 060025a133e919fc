"""What the face mesh needs beside ICT's vertices: its normals, and candidates for the jaw line."""

from __future__ import annotations

import numpy as np

from dmask.face_model.ict import LANDMARKS68


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (N,3)."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for i in range(3):
        np.add.at(normals, triangles[:, i], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def contour_rows(
    points: np.ndarray, normals: np.ndarray, usable: np.ndarray, n_candidates: int, step_mm: float = 3.5
) -> np.ndarray:
    """(17,n_candidates) i32: for each jaw landmark the vertices that the silhouette can slide over as the
    head turns, on the section through it at right angles to the jaw line; nearest first, itself at 0."""
    jaw = points[LANDMARKS68[:17]]
    tangents = np.gradient(jaw, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    rows = np.empty((17, n_candidates), np.int32)
    for i, (point, tangent) in enumerate(zip(jaw, tangents, strict=True)):
        landmark = LANDMARKS68[i]
        offset = points - point
        off_plane = np.abs(offset @ tangent)
        same_side = (np.sign(points[:, 0]) == np.sign(point[0])) | (abs(point[0]) < 12)
        facing = normals @ normals[landmark] > -0.2
        candidates = np.flatnonzero(usable & same_side & facing & (off_plane < 4))
        in_plane = offset[candidates] - np.outer(offset[candidates] @ tangent, tangent)
        side = np.sign(in_plane @ np.cross(tangent, normals[landmark]))
        step = np.round(side * np.linalg.norm(in_plane, axis=1) / step_mm).astype(int)
        chosen = {0: landmark}
        for number in set(step.tolist()) - {0}:
            members = candidates[step == number]
            chosen[number] = members[np.argmin(off_plane[members])]
        nearest = [chosen[number] for number in sorted(chosen, key=lambda n: (abs(n), n))][:n_candidates]
        rows[i] = nearest + [nearest[-1]] * (n_candidates - len(nearest))
    return rows
