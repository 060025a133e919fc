"""Shape of the rendered head: ICT-FaceKit's mesh, its skin as a map, and where the 68 points sit on it.

Frame: millimetres, +x patient's left, +y up, +z out of the face. The skin map is spherical: azimuth (0 =
nose, + patient's left) and elevation in degrees, as the mean head is seen from CENTRE_MM. What is painted on
the map (brows, lips) and what is labelled on it moves with every head.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.sparse as sp

from dmask._core import gbuffer

CENTRE_MM = np.array([0.0, 10.0, 5.0])
SKIN, MOUTH, GUM, TEETH, EYE_OS, EYE_OD = range(6)
# First and last + 1 vertex of the parts drawn (ICT-FaceKit's table); the skin holds face, head and neck.
PARTS = {
    SKIN: (0, 11248),
    MOUTH: (11248, 13294),
    GUM: (14062, 17039),
    TEETH: (17039, 21451),
    EYE_OS: (21451, 22221),
    EYE_OD: (23021, 23791),
}
# iBUG's outer lid points lie at a third of the lid, its inner lip points below and above the bow's peaks (50,
# 52); ICT-FaceKit's vertices for them are at a quarter, nearer to the corners. These are on the same edges.
MARKED = {37: 1540, 41: 1513, 44: 3754, 46: 3727, 61: 5736, 63: 6241, 65: 6485, 67: 5981}
MAP_STEP_DEG = 0.5  # of the look-up from the skin map to the mesh
JAW_STEPS = 14


@dataclass(frozen=True)
class Anchors:
    """Places on the skin: each the mean of three vertices."""

    vertices: np.ndarray  # (n,3) i32
    weights: np.ndarray  # (n,3) f32

    def on(self, points: np.ndarray) -> np.ndarray:
        return np.einsum("nkc,nk->nc", points[self.vertices], self.weights)


@dataclass(frozen=True)
class HeadModel:
    mean_mm: np.ndarray  # (V,3) f32
    identity_mm: np.ndarray  # (100,3V) f32
    units_mm: dict[str, np.ndarray]  # name -> (V,3) f32
    quads: np.ndarray  # (Q,4) i32
    triangles: np.ndarray  # (T,3) i32
    around: sp.csr_matrix  # (V,Q): vertex by the quads that meet in it
    part: np.ndarray  # (V) u8
    uv_deg: np.ndarray  # (V,2) f32 azimuth, elevation
    openness: np.ndarray  # (V) f32 0 .. 1: share of the sky that the mean head leaves free
    landmarks: np.ndarray  # (68) i32 vertices, ICT-FaceKit's own
    marked: np.ndarray  # (68) i32 vertices where people put the points
    nearest_triangle: np.ndarray  # (361,721) i32 of the skin map
    nearest_weights: np.ndarray  # (361,721,3) f32

    def anchors(self, uv_deg: np.ndarray) -> Anchors:
        """The mesh's places under points (n,2) of the skin map."""
        column = np.rint((np.asarray(uv_deg)[:, 0] + 180) / MAP_STEP_DEG).astype(int)
        row = np.rint((90 - np.asarray(uv_deg)[:, 1]) / MAP_STEP_DEG).astype(int)
        column = np.clip(column, 0, self.nearest_triangle.shape[1] - 1)
        row = np.clip(row, 0, self.nearest_triangle.shape[0] - 1)
        return Anchors(self.triangles[self.nearest_triangle[row, column]], self.nearest_weights[row, column])

    def shape(self, identity: np.ndarray, units: dict[str, float]) -> np.ndarray:
        """(V,3) mm of identity weights (100) and named expression weights. Eyeballs stay."""
        points = self.mean_mm + (identity.astype(np.float32) @ self.identity_mm).reshape(-1, 3)
        change = sum(
            (np.float32(w) * self.units_mm[name] for name, w in units.items()), np.zeros_like(points)
        )
        change[self.part >= EYE_OS] = 0
        return points + change

    def normals(self, points: np.ndarray) -> np.ndarray:
        a, b, c, d = (points[self.quads[:, k]] for k in range(4))
        d = np.where((self.quads[:, 2] == self.quads[:, 3])[:, None], a, d)
        normal = self.around @ np.cross(c - a, d - b)
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)


def spherical(points: np.ndarray) -> np.ndarray:
    """(n,3): azimuth and elevation in degrees, radius in mm."""
    x, y, z = (points - CENTRE_MM).T
    radius = np.sqrt(x * x + y * y + z * z)
    return np.stack([np.degrees(np.arctan2(x, z)), np.degrees(np.arcsin(y / radius)), radius], 1)


def load_head(folder: Path) -> HeadModel:
    """Raises FileNotFoundError if `folder` does not hold ICT-FaceKit as ict_light.npz."""
    file = folder / "ict_light.npz"
    if not file.is_file():
        raise FileNotFoundError(f"{folder} has no ict_light.npz: name the folder `ict_facekit` of the data")
    keep = np.concatenate([np.arange(*span) for span in PARTS.values()])
    part = np.concatenate([np.full(b - a, name, np.uint8) for name, (a, b) in PARTS.items()])
    landmarks = json.loads((folder / "vertex_indices.json").read_text())["idx_to_landmark_verts"]
    with np.load(file) as z:
        row = np.full(len(z["neutral_cm"]), -1, np.int32)
        row[keep] = np.arange(len(keep))
        step_mm = np.float32(10 * z["delta_step_cm"])
        mean = (10 * z["neutral_cm"][keep]).astype(np.float32)
        identity = (z["identity_delta_q"][:, keep] * step_mm).reshape(len(z["identity_delta_q"]), -1)
        names = [str(name) for name in z["expression_names"]]
        units = {name: z["expression_delta_q"][k][keep] * step_mm for k, name in enumerate(names)}
        quads = row[z["quads"]]
    quads = quads[(quads >= 0).all(1)]
    # The shoulders of the mesh end in the air; clothes take their place.
    middle = mean[quads].mean(1)
    quads = quads[(middle[:, 1] > -112) | (np.hypot(middle[:, 0], middle[:, 2] + 25) < 72)]
    real = quads[:, 2] != quads[:, 3]
    triangles = np.concatenate([quads[:, :3], quads[real][:, [0, 2, 3]]]).astype(np.int32)
    q = len(quads)
    ones = np.ones(4 * q, np.float32)
    around = sp.csr_matrix((ones, (quads.T.ravel(), np.tile(np.arange(q), 4))), (len(keep), q))
    uvr = spherical(mean)
    nearest, weights = _skin_lookup(uvr, triangles[(part[triangles] == SKIN).all(1)])
    skin_rows = np.flatnonzero((part[triangles] == SKIN).all(1))
    model = HeadModel(
        mean_mm=mean,
        identity_mm=identity.astype(np.float32),
        units_mm=units,
        quads=quads.astype(np.int32),
        triangles=triangles,
        around=around,
        part=part,
        uv_deg=uvr[:, :2].astype(np.float32),
        openness=np.ones(len(mean), np.float32),
        landmarks=row[landmarks],
        marked=row[[MARKED.get(k, vertex) for k, vertex in enumerate(landmarks)]],
        nearest_triangle=skin_rows[nearest].astype(np.int32),
        nearest_weights=weights,
    )
    model.openness[:] = _openness(model)
    return model


def _skin_lookup(uvr: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outermost skin triangle and the corners' weights for each half degree of the skin map."""
    width, height = int(360 / MAP_STEP_DEG) + 1, int(180 / MAP_STEP_DEG) + 1
    whole = np.ptp(uvr[triangles, 0], axis=1) < 180
    pixels = np.stack([(uvr[:, 0] + 180) / MAP_STEP_DEG, (90 - uvr[:, 1]) / MAP_STEP_DEG], 1)
    drawn, two, _ = gbuffer(
        pixels.astype(np.float32), (1000 - uvr[:, 2]).astype(np.float32), triangles[whole], width, height
    )
    weights = np.concatenate([two, 1 - two.sum(-1, keepdims=True)], -1)
    empty = (drawn < 0).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(label.max() + 1, np.int64)
    source[label[empty == 0]] = np.flatnonzero(empty.ravel() == 0)
    at = source[label]
    return np.flatnonzero(whole)[drawn.ravel()[at]], weights.reshape(-1, 3)[at].astype(np.float32)


def _openness(model: HeadModel, directions: int = 48, size: int = 200) -> np.ndarray:
    """Ambient occlusion of the mean head: how many directions of its hemisphere each vertex sees."""
    rng = np.random.default_rng(0)
    normals = model.normals(model.mean_mm)
    seen, total = np.zeros(len(normals)), np.full(len(normals), 1e-6)
    for _ in range(directions):
        towards = rng.normal(size=3)
        frame = light_frame(towards / np.linalg.norm(towards))
        flat = (model.mean_mm - CENTRE_MM) @ frame.T
        pixels = (flat[:, :2] + 230) * (size / 460)
        _, _, depth = gbuffer(
            pixels.astype(np.float32), (1000 - flat[:, 2]).astype(np.float32), model.triangles, size, size
        )
        column, row = np.clip(np.rint(pixels).astype(int), 0, size - 1).T
        cosine = np.maximum(normals @ frame[2], 0)
        seen += cosine * (1000 - flat[:, 2] < depth[row, column] + 4)
        total += cosine
    return (seen / total).astype(np.float32)


def light_frame(direction: np.ndarray) -> np.ndarray:
    """(3,3) rows: right, up, towards the light."""
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= max(np.linalg.norm(right), 1e-6)
    return np.stack([right, np.cross(direction, right), direction])


@dataclass(frozen=True)
class JawPaths:
    """For each jaw point the places the visible contour can pass through, from the jaw's edge inwards."""

    anchors: Anchors  # (17 * JAW_STEPS)
    outward: np.ndarray  # (17,2) across the frontal contour, x right in the picture and y down


def jaw_paths(model: HeadModel) -> JawPaths:
    """A point lies where the face ends in the picture; as the head turns that is farther and farther front.

    Nothing behind the jaw's own edge (where the frontal face ends) is on a path: it stands out more only
    on the side where no contour is, and there the edge itself is what people mark.
    """
    uv = spherical(model.mean_mm[model.landmarks[:17]])[:, :2]
    xy = model.mean_mm[model.landmarks[:17], :2] * [1, -1]
    along = np.gradient(xy, axis=0)
    along = 0.5 * (along + along[::-1] * [1, -1])  # the same on both sides
    outward = np.stack([-along[:, 1], along[:, 0]], 1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    middle = xy.mean(0) - [0, 20]
    outward *= np.sign(((xy - middle) * outward).sum(1, keepdims=True))
    rows = []
    for k in range(17):
        share = np.linspace(0, 1, 200)
        towards = np.array([0.45 * uv[k, 0], max(uv[k, 1], 0.35 * uv[k, 1] - 12)])
        start = uv[k] + 0.35 * (uv[k] - towards) * (3 < k < 13)
        path = start + share[:, None] * (towards - start)
        places = model.anchors(path).on(model.mean_mm)
        edge = int(np.argmax((places[:, :2] * [1, -1]) @ outward[k])) if 3 < k < 13 else 0
        rows.append(path[edge] + np.linspace(0, 1, JAW_STEPS)[:, None] * (towards - path[edge]))
    return JawPaths(model.anchors(np.concatenate(rows)), outward)
