"""Teeth, gums and tongue as strips: vertices where rays meet ICT-FaceKit's mesh, which move with it."""

from __future__ import annotations

import itertools

import numpy as np

from dmask.face_model import ict, paint
from dmask.face_model.sheet import Sheet, Weights, grid_triangles, mean_of

ARCH_CENTRE_Z_MM = 70.0  # rays to teeth run towards the vertical through it
TEETH_A_SIDE = 6  # from the middle to the first molar: further ones never show
FRONT_TEETH = 3  # a side: incisors and canine, which people look at
# Columns of a tooth, as shares of its width; 0 is the line between it and the one before.
UPPER_FRONT, LOWER_FRONT, SIDE = (0.0, 0.1, 0.3, 0.7, 0.9), (0.0, 0.15, 0.85), (0.0, 0.5)
# Where walls are smooth and colour alone tells teeth apart: behind upper canines, beside lower incisors.
SMOOTH_FROM_DEG = {"upper": 42.0, "lower": 15.0}
BESIDE_LINE_DEG = 1.2  # a ray between two teeth meets neither
STEP_MM = 0.25  # between rays up and down a tooth
LEAST_CROWN_MM = 2.0
GUM_REACH_MM = 7.0
LINGUAL_MM = 4.0  # how far the teeth's inner side goes on from their edge
DROP_MM = 1.0  # upper incisors show 3 mm under a lip at rest; ICT-FaceKit's show 2
NECK_TONE = 0.92  # of the crown's: teeth are darker towards the gum

TONGUE_PIVOT_MM = np.array([0.0, -33.5, 70.0])  # inside the tongue: rays to its surface leave from here
TONGUE_AZIMUTHS_DEG = (-100.0, -75.0, -50.0, -25.0, 0.0, 25.0, 50.0, 75.0, 100.0)
TONGUE_ELEVATIONS_DEG = (-15.0, 5.0, 22.0, 40.0, 62.0)

JAW_MOVES_MM = 1.0  # by a whole jawOpen at least


class Surface:
    """Gums, tongue and teeth of the mean head, met by rays. Vertices are numbered behind the head's."""

    def __init__(self, source: ict.Ict):
        self.points = source.mouth.neutral_mm
        self.triangles = ict.triangulate(source.mouth.quads)
        self.first = len(source.neutral_mm)
        lowered = source.mouth.unit_mm[ict.UNIT_NAMES.index("jawOpen")]
        lower = (np.linalg.norm(lowered, axis=1) > JAW_MOVES_MM)[self.triangles].all(axis=1)
        tooth = (self.triangles >= ict.UPPER_TEETH[0] - ict.MOUTH[0]).all(axis=1)
        self.teeth = {"upper": tooth & ~lower, "lower": tooth & lower}
        self.gums = {"upper": ~tooth & ~lower, "lower": ~tooth & lower}
        self.azimuth_deg = azimuth_deg(self.points[self.triangles].mean(axis=1))

    def meet(
        self, origins: np.ndarray, direction: np.ndarray, among: np.ndarray
    ) -> list[tuple[Weights, float] | None]:
        """Where rays from `origins` (R,3) first meet the triangles `among` (T bool), and how far away."""
        chosen = self.triangles[among]
        corner = self.points[chosen]
        side_a, side_b = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
        across = np.cross(direction, side_b)  # Moeller-Trumbore
        determinant = np.einsum("tc,tc->t", side_a, across)
        inverse = 1 / np.where(np.abs(determinant) < 1e-12, np.inf, determinant)
        met: list[tuple[Weights, float] | None] = []
        for origin in origins:
            offset = origin - corner[:, 0]
            u = np.einsum("tc,tc->t", offset, across) * inverse
            other = np.cross(offset, side_a)
            v = other @ direction * inverse
            away = np.einsum("tc,tc->t", side_b, other) * inverse
            away[(u < 0) | (v < 0) | (u + v > 1) | (away <= 0) | (inverse == 0)] = np.inf
            hit = int(np.argmin(away))
            if np.isinf(away[hit]):
                met.append(None)
                continue
            weights = (1 - u[hit] - v[hit], u[hit], v[hit])
            place = {self.first + int(c): float(w) for c, w in zip(chosen[hit], weights, strict=True)}
            met.append((place, float(away[hit])))
        return met


def azimuth_deg(points: np.ndarray) -> np.ndarray:
    """Of points (N,3) seen from the arches' centre: from straight ahead towards the patient's left."""
    return np.degrees(np.arctan2(points[:, 0], points[:, 2] - ARCH_CENTRE_Z_MM))


def tooth_columns(surface: Surface, arch: str) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths (C) of an arch's columns in degrees, from the patient's right; which lie between teeth (C)."""
    bounds = ict.UPPER_TEETH if arch == "upper" else ict.LOWER_TEETH
    right = bounds[len(bounds) // 2 :][: TEETH_A_SIDE + 2]  # from the middle, and one tooth more
    reach = [
        -azimuth_deg(surface.points[a - ict.MOUTH[0] : b - ict.MOUTH[0]])
        for a, b in itertools.pairwise(right)
    ]
    lines = [0.0] + [float(a.max() + b.min()) / 2 for a, b in itertools.pairwise(reach)]
    azimuths, between = [], []
    for tooth, (low, high) in enumerate(itertools.pairwise(lines)):
        shares = SIDE if tooth >= FRONT_TEETH else UPPER_FRONT if arch == "upper" else LOWER_FRONT
        azimuths += [low + share * (high - low) for share in shares]
        between += [share == 0 for share in shares]
    half, is_line = np.array([*azimuths, lines[-1]]), np.array([*between, True])
    return np.concatenate([-half[:0:-1], half]), np.concatenate([is_line[:0:-1], is_line])


def teeth(surface: Surface, upper: bool) -> Sheet:
    """An arch: rows from the teeth's inner side over edge, middle and neck to the gum."""
    arch = "upper" if upper else "lower"
    azimuths, between = tooth_columns(surface, arch)
    columns = []
    for azimuth, line in zip(azimuths, between, strict=True):
        seen_at = (azimuth - BESIDE_LINE_DEG, azimuth + BESIDE_LINE_DEG) if line else (azimuth,)
        seen = [tooth_column(surface, at, arch) for at in seen_at]
        columns.append([mean_of(list(places)) for places in zip(*seen, strict=True)])
    walls = [
        [mean_of(list(places)) for places in zip(before, here, here, after, strict=True)]
        if abs(azimuth) > SMOOTH_FROM_DEG[arch]
        else here
        for azimuth, before, here, after in zip(
            azimuths, columns[:1] + columns[:-1], columns, columns[1:] + columns[-1:], strict=True
        )
    ]
    rows = [place for row in zip(*walls, strict=True) for place in row]
    tone = np.where(between[:, None], paint.BETWEEN_TEETH, paint.IVORY)
    gum = np.tile(paint.GUM, (len(azimuths), 1))
    albedo = [0.55 * tone, tone, tone, NECK_TONE * 0.5 * (tone + paint.IVORY), gum, 0.7 * gum]
    triangles = grid_triangles(len(albedo), len(azimuths))
    if not upper:  # its rows run down
        triangles = triangles[:, ::-1]
    offset = np.tile([0, -DROP_MM if upper else 0.0, 0], (len(rows), 1))
    return Sheet(rows, offset, triangles, np.concatenate(albedo))


def tooth_column(surface: Surface, at_deg: float, arch: str) -> list[Weights]:
    """Of a column at an azimuth: inner side, edge, middle, neck, gum, and how far the gum is followed."""
    # From before the edge to the root.
    height = np.arange(-40.0, -4.0, STEP_MM) if arch == "upper" else -np.arange(26.0, 62.0, STEP_MM)
    beside = np.abs(surface.azimuth_deg - at_deg) < 25
    crown, gum = surface.teeth[arch] & beside, surface.gums[arch] & beside
    outwards = np.array([np.sin(np.radians(at_deg)), 0, np.cos(np.radians(at_deg))])
    centre = np.stack([np.zeros_like(height), height, np.full_like(height, ARCH_CENTRE_Z_MM)], axis=1)
    outer_tooth = surface.meet(centre + 80 * outwards, -outwards, crown)
    outer_gum = surface.meet(centre + 80 * outwards, -outwards, gum)
    inner_tooth = surface.meet(centre, outwards, crown)
    bare = [
        tooth is not None and (skin is None or tooth[1] < skin[1])
        for tooth, skin in zip(outer_tooth, outer_gum, strict=True)
    ]
    edge = bare.index(True)
    neck = bare.index(False, edge + round(LEAST_CROWN_MM / STEP_MM)) - 1

    def nearest(met: list[tuple[Weights, float] | None], row: int, step: int) -> Weights:
        while (found := met[row]) is None:
            row += step
        return found[0]

    margin = neck + 2
    return [
        nearest(inner_tooth, edge + round(LINGUAL_MM / STEP_MM), -1),
        nearest(outer_tooth, edge, 1),
        nearest(outer_tooth, (edge + neck) // 2, 1),
        nearest(outer_tooth, neck, -1),
        nearest(outer_gum, margin, 1),
        nearest(outer_gum, margin + round(GUM_REACH_MM / STEP_MM), -1),
    ]


def tongue(surface: Surface) -> Sheet:
    """Tip, sides and back of the tongue as they are seen from within it, rows from below."""
    azimuth, elevation = np.radians(np.meshgrid(TONGUE_AZIMUTHS_DEG, TONGUE_ELEVATIONS_DEG))
    directions = np.stack(
        [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)], axis=-1
    )
    rows = []
    for direction in directions.reshape(-1, 3):
        (hit,) = surface.meet(TONGUE_PIVOT_MM[None], direction, surface.gums["lower"])
        if hit is None:
            raise ValueError("a ray to the tongue met nothing, expected ICT-FaceKit's tongue there")
        rows.append(hit[0])
    groove = np.where(np.array(TONGUE_AZIMUTHS_DEG) == 0, 0.88, 1.0)[:, None]
    albedo = np.tile(paint.TONGUE * groove, (len(TONGUE_ELEVATIONS_DEG), 1))
    triangles = grid_triangles(len(TONGUE_ELEVATIONS_DEG), len(TONGUE_AZIMUTHS_DEG))
    return Sheet(rows, np.zeros((len(rows), 3)), triangles, albedo)
