"""What the face mesh needs beside ICT's vertices: a closed mouth inside, and candidates for the jaw line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from dmask.face_model.ict import LANDMARKS68

# Rings behind the lips: share of the lip loop's size kept, depth behind it in mm.
MOUTH_RINGS = ((0.85, 5.0), (0.6, 14.0), (0.3, 20.0))


@dataclass(frozen=True)
class MouthBag:
    """Vertices that follow the lips: positions = matrix @ points + offset, displacements without offset."""

    matrix: sp.csr_matrix  # (E,N)
    offset: np.ndarray  # (E,3) mm
    triangles: np.ndarray  # (T,3), indices into [points; bag]

    def extend(self, displacements: np.ndarray) -> np.ndarray:
        """(...,N,3) -> (...,N+E,3)."""
        flat = displacements.reshape(-1, *displacements.shape[-2:])
        more = np.stack([self.matrix @ layer for layer in flat]).reshape(*displacements.shape[:-2], -1, 3)
        return np.concatenate([displacements, more.astype(displacements.dtype)], axis=-2)


def mouth_bag(loop: list[int], points: np.ndarray, triangles: np.ndarray) -> MouthBag:
    """Close the mouth behind its boundary `loop` (vertices of `points` (N,3)) with a shrinking bag."""
    n, size = len(points), len(loop)
    rows, columns, values, offset = [], [], [], []
    for ring, (keep, depth) in enumerate(MOUTH_RINGS):
        for i, vertex in enumerate(loop):
            rows += [ring * size + i] * (size + 1)
            columns += [vertex, *loop]
            values += [keep] + [(1 - keep) / size] * size
            offset.append([0, 0, -depth])
    last = len(MOUTH_RINGS) * size
    rows += [last] * size
    columns += loop
    values += [1 / size] * size
    offset.append([0, 0, -MOUTH_RINGS[-1][1] - 1])
    matrix = sp.csr_matrix((values, (rows, columns)), shape=(last + 1, n))

    rings = [list(loop)] + [[n + r * size + i for i in range(size)] for r in range(len(MOUTH_RINGS))]
    faces = []
    for outer, inner in zip(rings, rings[1:], strict=False):
        for i in range(size):
            j = (i + 1) % size
            faces += [(outer[i], outer[j], inner[j]), (outer[i], inner[j], inner[i])]
    faces += [(rings[-1][i], rings[-1][(i + 1) % size], n + last) for i in range(size)]
    faces = np.array(faces, np.int32)
    # The loop's edges must run against those of the face for one orientation throughout.
    edges = {(a, b) for tri in triangles.tolist() for a, b in zip(tri, tri[1:] + tri[:1], strict=True)}
    if (loop[0], loop[1]) in edges:
        faces = faces[:, ::-1]
    return MouthBag(matrix, np.array(offset, float), np.ascontiguousarray(faces))


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
