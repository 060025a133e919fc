"""Shape and motion of the rendered eye: lids which slide over an eyeball.

Frame: the head frame with its origin at the centre of the eyeball (mm, +x patient's left = temporal, +y up,
+z out). The eyeball is a sphere of 12 mm and a corneal sphere of 7.8 mm which meet in the limbus (radius
5.85 mm, 10.48 mm in front of the centre).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dmask.axes import gaze_axis

GLOBE_RADIUS_MM = 12.0
LIMBUS_RADIUS_MM = 5.85
CORNEA_RADIUS_MM = 7.8
SUBDIVISIONS = 2
LOOPS = (
    "interior_margin_with_caruncle",
    "anterior_margin",
    "eyelid_peak",
    "between_peak_and_crease",
    "crease",
    "outer",
)
# How far a loop follows the margin, and how far from the globe its skin lies when unfolded over it.
FOLLOW = (1.0, 1.0, 0.9, 0.63, 0.34, 0.10)
UNFOLDED_RADIUS_MM = (12.2, 12.9, 13.4, 13.9, 14.8, 17.0)
CLEARANCE_MM = (0.12, 0.8, 1.3, 1.6, 1.8, 1.8)
SKIRT_MM = 30.0
# Control vertices on the caruncle, each with the upper and the lower margin's next to it.
CARUNCLE = ((27, 25, 28), (31, 32, 30), (12, 13, 0))


@dataclass(frozen=True)
class Cornea:
    """The spherical cap before the iris, from the limbus on; mm, from the eyeball's centre."""

    limbus_radius_mm: float = LIMBUS_RADIUS_MM

    @property
    def limbus_plane_mm(self) -> float:
        return float(np.sqrt(GLOBE_RADIUS_MM**2 - self.limbus_radius_mm**2))

    @property
    def centre_mm(self) -> float:
        return self.limbus_plane_mm - float(np.sqrt(CORNEA_RADIUS_MM**2 - self.limbus_radius_mm**2))


USUAL_CORNEA = Cornea()


def subdivide(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """One step of Loop's scheme. Old vertices keep their number.

    Returns: smooth (n,count) positions' weights, flat (n,count) midpoint weights for texture coordinates,
    triangles (4t,3), and the new vertex of each edge {(low, high): index}.
    """
    faces_of_edge: dict[tuple[int, int], list[int]] = {}
    for a, b, c in triangles:
        for i, j, opposite in ((a, b, c), (b, c, a), (c, a, b)):
            faces_of_edge.setdefault((min(i, j), max(i, j)), []).append(opposite)
    middle = {edge: count + k for k, edge in enumerate(faces_of_edge)}
    smooth = np.zeros((count + len(middle), count), np.float32)
    flat = np.zeros_like(smooth)
    flat[:count] = np.eye(count)
    neighbours: list[set[int]] = [set() for _ in range(count)]
    border: list[list[int]] = [[] for _ in range(count)]
    for (i, j), opposite in faces_of_edge.items():
        neighbours[i].add(j)
        neighbours[j].add(i)
        row = middle[i, j]
        flat[row, [i, j]] = 0.5
        if len(opposite) == 2:
            smooth[row, [i, j]] = 3 / 8
            smooth[row, opposite] += 1 / 8
        else:
            smooth[row, [i, j]] = 0.5
            border[i].append(j)
            border[j].append(i)
    for i in range(count):
        if border[i]:
            smooth[i, i] = 3 / 4
            smooth[i, border[i]] += 1 / 4 / len(border[i])
        else:
            valence = len(neighbours[i])
            weight = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / valence) / 4) ** 2) / valence
            smooth[i, i] = 1 - valence * weight
            smooth[i, list(neighbours[i])] = weight
    split = []
    for a, b, c in triangles:
        ab, bc, ca = (middle[min(i, j), max(i, j)] for i, j in ((a, b), (b, c), (c, a)))
        split += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return smooth, flat, np.array(split, np.int32), middle


def border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """Closed chains of border vertices, longest last, running along the triangles' own direction."""
    edges = {(a, b) for tri in triangles for a, b in ((tri[0], tri[1]), (tri[1], tri[2]), (tri[2], tri[0]))}
    follow = {a: b for a, b in edges if (b, a) not in edges}
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop = [start]
        del follow[start]
        while at != start:
            loop.append(at)
            at = follow.pop(at)
        loops.append(np.array(loop, np.int32))
    return sorted(loops, key=len)


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n,3), texture coordinates (m,2), triangles of vertices (t,3)."""
    rows: dict[str, list] = {"v": [], "vt": [], "f": []}
    for line in path.read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "f":
            rows["f"].append([int(value.split("/")[0]) - 1 for value in values])
        elif kind in rows:
            rows[kind].append([float(value) for value in values])
    return np.array(rows["v"]), np.array(rows["vt"]), np.array(rows["f"], np.int32)


def to_head_frame(points_m: np.ndarray) -> np.ndarray:
    """Upstream's metres (x temporal, y back, z up) to head axes in mm."""
    return np.stack([points_m[..., 0], points_m[..., 2], -points_m[..., 1]], -1).astype(np.float32) * 1000


@dataclass
class EyeRegion:
    """The lid mesh, ready to be posed: 229 control vertices -> n of the surface -> n + s with skirts."""

    mean_mm: np.ndarray  # (229,3)
    modes_mm: np.ndarray  # (20,229,3) scaled to unit sd
    smooth: np.ndarray  # (n,229)
    uv: np.ndarray  # (n+s,2) picture coordinates 0..1, v down
    triangles: np.ndarray  # (t,3), those of the skirts last
    skin_triangles: int
    loops: np.ndarray  # (6,20) control vertices, see LOOPS
    chains: list[
        np.ndarray
    ]  # 6 closed chains of surface vertices, starting at the inner canthus, over the upper lid
    half: int  # a chain's element at the outer canthus
    inner_border: np.ndarray  # surface vertices round the opening
    outer_border: np.ndarray  # surface vertices round the patch
    clearance_mm: np.ndarray  # (n)
    paint: np.ndarray  # (n,3) wet margin, eyeliner, eye shadow: 0 .. 1


def load_eye_region(folder: Path) -> EyeRegion:
    """Raises FileNotFoundError if `folder` is not the UnityEyes2 data."""
    topology = json.loads((folder / "topology.json").read_text())
    _, uv, triangles = read_obj(folder / "mesh/eye_region.obj")
    mean = np.loadtxt(folder / "ShapePCA/mesh_mean.txt")
    modes = np.loadtxt(folder / "ShapePCA/pca_components.txt")
    sd = np.loadtxt(folder / "ShapePCA/transformed_std.txt")
    modes_mm = to_head_frame((modes * sd).T.reshape(-1, len(mean), 3))
    loops = np.array([topology[name] for name in LOOPS])

    # The published faces wind either way; the border search needs one sense.
    positions = to_head_frame(mean)
    area = np.cross(
        positions[triangles[:, 1]] - positions[triangles[:, 0]],
        positions[triangles[:, 2]] - positions[triangles[:, 0]],
    )
    if area[:, 2].mean() < 0:
        triangles = triangles[:, ::-1].copy()

    smooth, flat = np.eye(len(mean), dtype=np.float32), np.eye(len(mean), dtype=np.float32)
    chains = [list(loop) for loop in loops]
    for _ in range(SUBDIVISIONS):
        step_smooth, step_flat, triangles, middle = subdivide(triangles, len(smooth))
        smooth, flat = step_smooth @ smooth, step_flat @ flat
        chains = [
            [
                vertex
                for a, b in zip(chain, chain[1:] + chain[:1], strict=True)
                for vertex in (a, middle[min(a, b), max(a, b)])
            ]
            for chain in chains
        ]
    control_clearance = np.full(len(mean), CLEARANCE_MM[-1], np.float32)
    for loop, clearance in zip(loops, CLEARANCE_MM, strict=True):
        control_clearance[loop] = clearance
    inner, outer = border_loops(triangles)[-2:]
    count = len(smooth)
    skirts = []
    for border, first in ((inner, count), (outer, count + len(inner))):
        new = first + np.arange(len(border))
        following, new_following = np.roll(border, -1), np.roll(new, -1)
        skirts += [np.stack([following, border, new], 1), np.stack([following, new, new_following], 1)]
    # The pictures show eyeball up to the margin's inner rim: take its colour from farther out.
    rim = loops[0][4:17]
    uv[rim] += 0.6 * (uv[loops[1][4:17]] - uv[rim])
    picture_uv = flat @ uv.astype(np.float32)
    picture_uv[:, 1] = 1 - picture_uv[:, 1]
    centre = picture_uv[outer].mean(0)
    around = picture_uv[outer] + 0.4 * (picture_uv[outer] - centre)
    return EyeRegion(
        mean_mm=positions,
        modes_mm=modes_mm,
        smooth=smooth,
        uv=np.concatenate([picture_uv, picture_uv[inner], around]).astype(np.float32),
        triangles=np.concatenate([triangles, *skirts]).astype(np.int32),
        skin_triangles=len(triangles),
        loops=loops,
        chains=[np.array(chain) for chain in chains],
        half=len(chains[0]) // 2,
        inner_border=inner,
        outer_border=outer,
        clearance_mm=flat @ control_clearance,
        paint=flat @ _paint(loops, len(mean)),
    )


def _paint(loops: np.ndarray, count: int) -> np.ndarray:
    """(count,3) on the control vertices: wet margin, eyeliner, eye shadow."""
    weights = np.zeros((count, 3), np.float32)
    span = np.sin(np.pi * np.arange(11) / 10) ** 0.5
    weights[loops[0], 0] = 1.0
    weights[[inside for inside, _, _ in CARUNCLE], 0] = 1.0
    weights[loops[1], 1] = 0.35
    weights[loops[1][:11], 1] = 1.0
    for loop, amount in zip(loops[1:], (0.9, 1.0, 0.9, 0.6, 0.15), strict=True):
        weights[loop[:11], 2] = amount * span
    return weights


def gaze_axes(yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """Rows: the eye's own temporal, up and optical axis in the head frame (Fick)."""
    optical, yaw = gaze_axis(yaw_deg, pitch_deg), np.radians(yaw_deg)
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    return np.stack([right, np.cross(optical, right), optical])


def limbus_points(axes: np.ndarray) -> np.ndarray:
    """(19,3) mm: the limbus circle's centre, then every 20 degrees of it, clockwise from in front."""
    angle = np.radians(np.arange(18) * 20)
    circle = LIMBUS_RADIUS_MM * (np.sin(angle)[:, None] * axes[0] + np.cos(angle)[:, None] * axes[1])
    return USUAL_CORNEA.limbus_plane_mm * axes[2] + np.concatenate([np.zeros((1, 3)), circle])


def eyeball_radius_mm(directions: np.ndarray, optical_axis: np.ndarray) -> np.ndarray:
    """Distance (n) from the centre to the eyeball's surface along unit directions (n,3)."""
    cosine = directions @ optical_axis
    sine_sq = np.maximum(0, 1 - cosine**2)
    # |t d - c| = r for the corneal sphere; the sphere's own radius outside of it.
    root = np.sqrt(np.maximum(0, CORNEA_RADIUS_MM**2 - USUAL_CORNEA.centre_mm**2 * sine_sq))
    return np.where(
        cosine > USUAL_CORNEA.limbus_plane_mm / GLOBE_RADIUS_MM,
        USUAL_CORNEA.centre_mm * cosine + root,
        GLOBE_RADIUS_MM,
    )


@dataclass
class LidState:
    """What the lids do; fractions are of the opening at rest."""

    upper: np.ndarray  # (20) how far the upper margin has come down, along s = 0 ... 1; below 0: retracted
    lower: np.ndarray  # (20) how far the lower margin has come up
    bulge_mm: float = 0.0  # prominence of the pretarsal fold of the lower lid
    hood_mm: float = 0.0  # skin hanging over the crease
    crease_shift: float = 0.0  # the fold lowered by this fraction of its distance from the lid's crest
    fill: float = 0.0  # 1: no fold at all (single lid)


def _elevation(points: np.ndarray) -> np.ndarray:
    return np.arctan2(points[..., 1], points[..., 2])


def _turn(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """About the x axis through the centre of the globe, + = up."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, cosine * y + sine * z, cosine * z - sine * y], -1)


def rest_shape(region: EyeRegion, weights: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Control vertices (229,3) of an identity; weights (20) ~ N(0,1), scale (2) of width and height."""
    control = region.mean_mm + np.tensordot(weights.astype(np.float32), region.modes_mm, 1)
    control[:, :2] *= scale
    interior = region.loops[0]
    on_globe = interior[4:17]  # not the caruncle
    control[:, 1] -= 0.6 * (control[on_globe, 1].mean() - region.mean_mm[on_globe, 1].mean())
    radius = np.linalg.norm(control[on_globe], axis=1)
    control[:, 2] -= np.clip(np.median(radius) - 12.7, -2, 2)
    return control


def pose_lids(region: EyeRegion, rest: np.ndarray, state: LidState, optical_axis: np.ndarray) -> np.ndarray:
    """(n+s,3) mm: the lids slid over the globe, like a visor about the x axis through its centre."""
    control = rest.copy()
    interior = rest[region.loops[0]]
    upper_column, lower_column = np.arange(1, 10), 20 - np.arange(1, 10)
    path_x = interior[:11, 0], interior[[0, *lower_column, 10], 0]
    elevation = _elevation(interior)
    lower_elevation = elevation[[0, *lower_column, 10]]

    turn = np.zeros(20)
    gap = np.zeros(20)
    for column, other_x, other, sign, fraction in (
        (upper_column, path_x[1], lower_elevation, -1, state.upper),
        (lower_column, path_x[0], elevation[:11], 1, state.lower),
    ):
        x = interior[column, 0]
        gap[column] = np.maximum(0, -sign * (elevation[column] - np.interp(x, other_x, other)))
        s = (x - interior[0, 0]) / (interior[10, 0] - interior[0, 0])
        turn[column] = sign * gap[column] * np.interp(s, np.linspace(0, 1, 20), fraction)
    unfold = np.clip(
        np.abs(turn) / max(gap.max(), 1e-6) * (turn * np.r_[np.full(10, -1), np.full(10, 1)] > 0), 0, 1
    )

    for k, (loop, follow, unfolded) in enumerate(zip(region.loops, FOLLOW, UNFOLDED_RADIUS_MM, strict=True)):
        points = rest[loop].copy()
        upper_half = np.r_[np.zeros(1), np.ones(9), np.zeros(10)] * np.sin(np.pi * np.arange(20) / 10).clip(0)
        crest, beyond = rest[region.loops[2]], rest[region.loops[5]]
        if k == 4:
            points += state.crease_shift * upper_half[:, None] * (crest - points)
        if k in (3, 4):
            straight = crest + (k - 2) / 3 * (beyond - crest)
            points += state.fill * upper_half[:, None] * (straight - points)
        if k >= 4:
            hood = np.array([0, -1.0 if k == 4 else -1.2, 0.35 if k == 4 else 0.8])
            points += state.hood_mm * upper_half[:, None] * hood
        lower_half = np.sin(np.pi * (np.arange(20) - 10) / 10).clip(0)
        if k in (2, 3):
            out = points / np.linalg.norm(points, axis=1, keepdims=True)
            points += state.bulge_mm * (1.0 if k == 2 else -0.35) * lower_half[:, None] * out
        points = _turn(points, follow * turn)
        radius = np.linalg.norm(points, axis=1)
        # Skin near the canthi is off the globe and stays there.
        share = 0.85 * unfold * (np.arange(20) < 10)
        wanted = radius + share * (np.maximum(unfolded, 0.0) - radius)
        if k == 0:
            pin = np.clip(np.minimum(np.arange(20), 20 - np.arange(20)) - 2.0, 0, 1) * (np.arange(20) != 10)
            wanted = wanted + pin * (12.15 - wanted)
        control[loop] = points * (wanted / radius)[:, None]
    shut = float(unfold[3:8].mean())
    for inside, above, below in CARUNCLE:
        moved = (control[above] + control[below] - rest[above] - rest[below]) / 2
        control[inside] += moved - np.array([0, 0, 1.2 * shut])
    surface = region.smooth @ control

    # Nothing dips into the eyeball: lift softly to the clearance of its place.
    radius = np.linalg.norm(surface, axis=1)
    directions = surface / radius[:, None]
    floor = eyeball_radius_mm(directions, optical_axis) + region.clearance_mm
    surface = directions * (floor + np.logaddexp(0, (radius - floor) * 6.0) / 6.0 - 0.02)[:, None]

    inner = surface[region.inner_border] * 0.90
    rim = surface[region.outer_border]
    away = rim[:, :2] - surface[:, :2].mean(0)
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    # Temple and cheek fall back; beyond the ridge of the nose its other side does.
    back = np.where(away[:, 0] > 0, 0.8, 1.3) * np.abs(away[:, 0])
    outer = rim + SKIRT_MM * np.concatenate([away, -back[:, None]], 1)
    return np.concatenate([surface, inner, outer]).astype(np.float32)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray, sense: float) -> np.ndarray:
    """(n,3) unit normals, `sense` +1 or -1 with the winding."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    return _normalise(sense * _gather(face, triangles, len(vertices)))


def texture_gradients(vertices: np.ndarray, uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n,6): gradients of u and of v along the surface (1/mm), averaged at the vertices."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    ab, ac = b - a, c - a
    normal = np.cross(ab, ac)
    area_sq = np.maximum((normal**2).sum(1), 1e-6)[:, None]
    along_b, along_c = np.cross(ac, normal) / area_sq, np.cross(normal, ab) / area_sq
    duv_b, duv_c = uv[triangles[:, 1]] - uv[triangles[:, 0]], uv[triangles[:, 2]] - uv[triangles[:, 0]]
    gradient = np.concatenate(
        [duv_b[:, k, None] * along_b + duv_c[:, k, None] * along_c for k in range(2)], axis=1
    )
    count = np.bincount(triangles.ravel(), minlength=len(vertices))[:, None]
    return _gather(gradient, triangles, len(vertices)) / np.maximum(count, 1)


def _gather(of_faces: np.ndarray, triangles: np.ndarray, count: int) -> np.ndarray:
    sums = [
        sum(np.bincount(triangles[:, k], of_faces[:, c], count) for k in range(3))
        for c in range(of_faces.shape[1])
    ]
    return np.stack(sums, 1)


def _normalise(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
