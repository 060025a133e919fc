"""Plain vertex colours (BGR 0..1), painted by mesh regions: nothing of them comes from a photograph."""

from __future__ import annotations

import numpy as np

from dmask.face_model.eyelid import Patch, smoothstep
from dmask.face_model.ict import LANDMARKS68

SKIN = np.array([0.60, 0.70, 0.86])
FLUSH = np.array([0.55, 0.60, 0.86])  # cheeks, nose tip, ears
LIPS = np.array([0.50, 0.50, 0.76])
BROW = np.array([0.22, 0.27, 0.35])
DARK = np.array([0.08, 0.07, 0.14])
LASH = np.array([0.17, 0.19, 0.26])
LASH_LINE = np.array([0.06, 0.06, 0.08])
LID_RIM = np.array([0.58, 0.61, 0.84])
CARUNCLE = np.array([0.53, 0.53, 0.83])
WET_LIP = np.array([0.13, 0.11, 0.22])
LINING = np.array([0.20, 0.17, 0.33])  # of the mouth
IVORY = np.array([0.80, 0.87, 0.95])
BETWEEN_TEETH = np.array([0.38, 0.46, 0.56])
GUM = np.array([0.44, 0.43, 0.66])
TONGUE = np.array([0.44, 0.42, 0.68])

BROW_DROP_MM = 2.5  # iBUG's brow points lie above the middle of the hair


def mix(colours: np.ndarray, colour: np.ndarray, amount: np.ndarray) -> np.ndarray:
    amount = np.clip(amount, 0, 1)[:, None]
    return colours * (1 - amount) + colour * amount


def polyline_distance(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N) of points (N,d) to a polyline (L,d), and where on it the closest point lies (N, 0..1)."""
    best = np.full(len(points), np.inf)
    where = np.zeros(len(points))
    for i, (a, b) in enumerate(zip(line, line[1:], strict=False)):
        t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.linalg.norm(points - a - t[:, None] * (b - a), axis=1)
        where = np.where(distance < best, (i + t) / (len(line) - 1), where)
        best = np.minimum(best, distance)
    return best, where


def inside_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """(N) bool for points (N,2), even-odd rule."""
    x, y = points.T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0))
    return inside


def nostrils(points: np.ndarray, triangles: np.ndarray, near: np.ndarray, reach_mm: float = 30) -> np.ndarray:
    """(N) 1 at those of the vertices `near` (indices) that have the nose's wall before them and on both
    sides, with a soft edge."""
    corners = points[triangles]
    middle = points[near].mean(axis=0)
    corners = corners[np.linalg.norm(corners.mean(axis=1) - middle, axis=1) < reach_mm + 10]
    origin, side_a, side_b = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    inside = np.zeros(len(points))
    inside[near] = 1
    for direction in np.array([[0, 0, 1.0], [1, 0, 0], [-1, 0, 0]]):
        # Moeller-Trumbore intersection of a ray from each vertex with every triangle.
        across = np.cross(direction, side_b)
        determinant = np.einsum("tc,tc->t", side_a, across)
        inverse = 1 / np.where(np.abs(determinant) < 1e-9, np.inf, determinant)
        for vertex in near:
            offset = points[vertex] - origin
            u = np.einsum("tc,tc->t", offset, across) * inverse
            other = np.cross(offset, side_a)
            v = other @ direction * inverse
            t = np.einsum("tc,tc->t", side_b, other) * inverse
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0.05) & (t < reach_mm)
            inside[vertex] *= hit.any()
    for _ in range(6):
        inside = np.maximum(inside, 0.9 * neighbour_mean(inside, triangles))
    return inside


def neighbour_mean(values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N) mean of each vertex's triangles."""
    total = sum(np.bincount(triangles[:, i], values[triangles].mean(axis=1), len(values)) for i in range(3))
    count = sum(np.bincount(triangles[:, i], minlength=len(values)) for i in range(3))
    return total / np.maximum(count, 1)


def paint_patch(patch: Patch, eye: np.ndarray) -> np.ndarray:
    """Colours (V,3) of the eye patch `eye` (V,3): lash lines, lid rims, caruncle."""
    colours = np.tile(SKIN, (len(patch.level), 1))
    low, high = eye[patch.loop, 0].min(), eye[patch.loop, 0].max()
    across = (eye[:, 0] - low) / (high - low)  # 0 inner canthus, 1 outer
    lashes = smoothstep((across - 0.12) / 0.2) * smoothstep((1.02 - across) / 0.15)
    upper, outside = patch.is_upper, patch.level > 0
    colours = mix(colours, LASH, 0.9 * lashes * (upper & outside & (patch.level <= 2)))
    colours = mix(colours, LASH, 0.25 * lashes * (upper & (patch.level == 3)))
    colours = mix(colours, LID_RIM, 0.9 * (~upper & (patch.level == 1)))
    colours = mix(colours, LASH, 0.28 * lashes * (~upper & (patch.level == 2)))
    colours = mix(colours, LID_RIM, (patch.level <= 0).astype(float))
    colours = mix(colours, LASH, 0.6 * lashes * (upper & (patch.level == 0)))
    # A dark line of lashes, as eyes have: without it people and landmarkers read the upper margin too low.
    from_roots, _ = polyline_distance(eye, eye[patch.lines["upper_lash"]])
    colours = mix(colours, LASH_LINE, lashes * np.exp(-((from_roots / 0.9) ** 2)))
    return mix(colours, CARUNCLE, patch.lake.astype(float))


def paint_face(points: np.ndarray, triangles: np.ndarray, mouth_loop: list[int], patch: Patch) -> np.ndarray:
    """Colours (N,3) of the mean face `points` (N,3)."""
    colours = np.tile(SKIN, (len(points), 1))
    landmarks = points[LANDMARKS68]
    x, y, z = points.T
    cheeks = np.minimum(*(np.linalg.norm(points - [s * 42, 2, 92], axis=1) for s in (-1, 1)))
    tip = np.linalg.norm(points - landmarks[30], axis=1)
    ears = smoothstep((np.abs(x) - 76) / 8) * (np.abs(y - 20) < 60)
    colours = mix(
        colours,
        FLUSH,
        0.5 * (1 - smoothstep(cheeks / 26)) + 0.4 * (1 - smoothstep(tip / 16)) + 0.4 * ears,
    )

    for brow in (landmarks[17:22][::-1], landmarks[22:27]):  # nasal end first
        line = brow[:, :2] - [0, BROW_DROP_MM]
        distance, where = polyline_distance(points[:, :2], line)
        half_width = 2.6 * smoothstep((where + 0.15) / 0.3) * (1 - 0.75 * smoothstep((where - 0.45) / 0.55))
        strength = 0.62 + 0.18 * smoothstep(where / 0.3)
        colours = mix(colours, BROW, strength * (z > 60) * (1 - smoothstep((distance - half_width) / 2.8)))

    outline = landmarks[48:60, :2]
    distance, _ = polyline_distance(points[:, :2], np.concatenate([outline, outline[:1]]))
    signed = np.where(inside_polygon(points[:, :2], outline), distance, -distance)
    near_mouth = np.linalg.norm(points - landmarks[48:68].mean(axis=0), axis=1) < 40
    colours = mix(colours, LIPS, 0.75 * near_mouth * smoothstep((signed + 0.8) / 1.8))
    rim = np.min(np.linalg.norm(points[:, None] - points[mouth_loop][None], axis=2), axis=1)
    colours = mix(colours, DARK, near_mouth * (1 - smoothstep((rim - 0.5) / 4)))

    under_nose = landmarks[33]
    nose = np.flatnonzero((np.linalg.norm(points - under_nose, axis=1) < 30) & (y > under_nose[1] - 3))
    colours = mix(colours, DARK, 0.9 * nostrils(points, triangles, nose))

    patch_colours = paint_patch(patch, points[patch.face_vertex_os])
    weight = (patch.level <= 3).astype(float)[:, None]
    for vertices in (patch.face_vertex_os, patch.face_vertex_od):
        colours[vertices] = weight * patch_colours + (1 - weight) * colours[vertices]
    return colours
