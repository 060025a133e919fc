"""The bilinear face model in factored form, M_f = C x2 [1; w_fs] x3 [1; w_fm] (Eq. (1)).

ICT-FaceKit is additive. Identity-dependent motion comes from deformation transfer of its expression units to
sampled identities (Sumner & Popovic 2004, in the Poisson form of Botsch et al. 2006), is regressed on the
identity weights and truncated to P modes:  unit_m(w) = unit_m + sum_p (sum_k w_k coef[k,m,p]) interaction_p.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

UNMOVED_MM = 0.02  # a vertex that no unit moves further is held fixed
GRADIENT_LIMIT = 4.0  # slivers of the lips turn inside out in some units


DEEPER = 2  # of _rigid_motions


def without_rigid_motion(
    modes: np.ndarray,
    points: np.ndarray,
    marks: np.ndarray,
    mark_weights: np.ndarray,
    more_modes: np.ndarray,
    more_points: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Modes (K,N,3) less the small rigid motion of each: head pose belongs to R and t.

    It is the one that best explains, seen from the front, how the mode moves the vertices `marks`: what is
    left of a mode looks like no turn of the head. Along the line of sight, the marks stay where they are in
    the mean. The same motion is taken from `more_modes` (K,M,3) of `more_points`.
    """
    motions = _rigid_motions(points)
    seen = [
        (mark_weights[:, None] * moved[:, marks, :2]).reshape(len(moved), -1) for moved in (motions, modes)
    ]
    weights = np.linalg.lstsq(seen[0].T, seen[1].T, rcond=None)[0]
    deeper = modes[:, marks, 2] - np.einsum("jk,jn->kn", weights, motions[:, marks, 2])
    weights[DEEPER] += np.average(deeper, axis=1, weights=mark_weights**2)
    return (
        modes - np.einsum("jk,jnc->knc", weights, motions),
        more_modes - np.einsum("jk,jnc->knc", weights, _rigid_motions(more_points)),
    )


def _rigid_motions(points: np.ndarray) -> np.ndarray:
    """(6,N,3): three translations and three small turns of points (N,3)."""
    x, y, z = points.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    return np.stack(
        [
            np.stack(columns, axis=1)
            for columns in (
                (one, zero, zero),
                (zero, one, zero),
                (zero, zero, one),
                (zero, -z, y),
                (z, zero, -x),
                (-y, x, zero),
            )
        ]
    )


class DeformationTransfer:
    """Carries the units (M,N,3) of the face `points` (N,3) over to other faces of the same triangles."""

    def __init__(self, points: np.ndarray, units: np.ndarray, triangles: np.ndarray, rim: np.ndarray):
        self.units, self.triangles, self.n = units, triangles, len(points)
        reach = np.linalg.norm(units, axis=2).max(axis=0)
        reach[rim] = 0
        self.fixed, self.free = np.flatnonzero(reach <= UNMOVED_MM), np.flatnonzero(reach > UNMOVED_MM)
        rest = np.linalg.inv(self._frames(points, np.arange(len(triangles))))
        # Deformation gradients minus identity, of the triangles that a unit deforms.
        self.active, self.gradients = [], []
        for unit in units:
            moved = np.flatnonzero(np.abs(unit).max(axis=1) > 0)
            active = np.flatnonzero(np.isin(triangles, moved).any(axis=1))
            gradient = self._frames(points + unit, active) @ rest[active]
            self.active.append(active)
            self.gradients.append(np.clip(gradient, -GRADIENT_LIMIT, GRADIENT_LIMIT) - np.eye(3))

    def _frames(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        a, b, c = (points[self.triangles[which, i]] for i in range(3))
        normal = np.cross(b - a, c - a)
        normal /= np.sqrt(np.linalg.norm(normal, axis=1, keepdims=True)) + 1e-9
        return np.stack([b - a, c - a, normal], axis=2)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Units (M,N,3) f32 for the neutral face `points` (N,3)."""
        tri = self.triangles
        edge = [points[tri[:, (i + 1) % 3]] - points[tri[:, i]] for i in range(3)]
        weight = []
        for i in range(3):
            a, b = -edge[(i + 1) % 3], edge[(i + 2) % 3]  # the two sides at the corner opposite to edge i
            area = np.linalg.norm(np.cross(a, b), axis=1) + 1e-9
            weight.append(np.clip(0.5 * np.einsum("tc,tc->t", a, b) / area, 0.02, 10))
        rows = np.concatenate([tri[:, i] for i in range(3)])
        columns = np.concatenate([tri[:, (i + 1) % 3] for i in range(3)])
        adjacency = sp.csr_matrix((np.concatenate(weight), (rows, columns)), shape=(self.n, self.n))
        adjacency = adjacency + adjacency.T
        laplacian = (sp.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency).tocsr()

        right = np.zeros((self.n, len(self.units), 3))
        for m, (active, gradient) in enumerate(zip(self.active, self.gradients, strict=True)):
            for i in range(3):
                flow = weight[i][active, None] * np.einsum("tij,tj->ti", gradient, edge[i][active])
                for axis in range(3):
                    right[:, m, axis] += np.bincount(tri[active, (i + 1) % 3], flow[:, axis], self.n)
                    right[:, m, axis] -= np.bincount(tri[active, i], flow[:, axis], self.n)
        held = self.units[:, self.fixed].transpose(1, 0, 2).reshape(len(self.fixed), -1)
        right = right.reshape(self.n, -1)[self.free] - laplacian[self.free][:, self.fixed] @ held
        factor = splu(
            laplacian[self.free][:, self.free].tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        out = np.empty((self.n, len(self.units), 3), np.float32)
        out[self.fixed] = held.reshape(len(self.fixed), -1, 3)
        out[self.free] = factor.solve(right).reshape(len(self.free), -1, 3)
        return out.transpose(1, 0, 2)


def identity_derivative(
    units_of: Callable[[np.ndarray], np.ndarray], n_modes: int, rng: np.random.Generator
) -> np.ndarray:
    """d unit / d w, (K,M,N,3) f32: regression over 2K identities as far from the mean as typical ones, +- the
    rows of a random rotation: an orthogonal design, and even terms cancel."""
    design = np.linalg.qr(rng.normal(size=(n_modes, n_modes)))[0] * np.sqrt(n_modes)
    first = units_of(design[0]) - units_of(-design[0])
    differences = np.empty((n_modes, first.size), np.float32)
    differences[0] = first.ravel()
    for i, row in enumerate(design[1:], start=1):
        differences[i] = (units_of(row) - units_of(-row)).ravel()
    solve = (design.T / (2 * n_modes)).astype(np.float32)
    for begin in range(0, first.size, 1 << 16):  # in place: this is the build's largest array
        block = differences[:, begin : begin + (1 << 16)]
        block[:] = solve @ block
    return differences.reshape(n_modes, *first.shape)


def factor_interaction(
    slopes: np.ndarray, vertex_weight: np.ndarray, n_modes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """slopes (K,M,N,3) ~ coef (K,M,P) x modes (P,N,3): weighted truncated SVD by subspace iteration."""
    k, m, n, _ = slopes.shape
    weight = np.repeat(vertex_weight, 3).astype(np.float32)
    table = slopes.reshape(k * m, n * 3) * weight
    basis = rng.normal(size=(n * 3, n_modes + 16)).astype(np.float32)
    for _ in range(3):
        basis = np.linalg.qr(table.T @ np.linalg.qr(table @ basis)[0])[0]
    u, s, vt = np.linalg.svd(table @ basis, full_matrices=False)
    modes = (vt[:n_modes] @ basis.T) / weight
    return (u[:, :n_modes] * s[:n_modes]).reshape(k, m, n_modes), modes.reshape(n_modes, n, 3)
