"""The eye patch of ICT-FaceKit's mesh, behind M_e of Eq. (5), and how its lids move.

Everything here is the LEFT eye (OS) in an eyeball-centred frame: mm, head axes. OD is its mirror image,
x -> -x. Lids move like visors: they turn about the canthal axis through the eyeball's centre and so slide on
the globe.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from dmask.face_model.ict import LANDMARKS68, N_FACE, Ict, boundary_loops, triangulate

GLOBE_RADIUS_MM = 12.0
CONTACT_RADIUS_MM = 12.35  # the lid margin of a mean eye rides here: used to place the globe
LID_RADIUS_MM = 12.3  # no lid vertex comes closer to the globe's centre
EDGE_RADIUS_MM = 11.6  # the lids' inner edge ends inside the globe: nothing shows between lid and globe

# Semantic lines on the mesh of the left eye, inner canthus to outer canthus, picked by eye on the edge loops.
LINES = {
    "upper_margin": (
        "3742 3743 3744 3745 3746 3747 3748 3749 3750 3751 4130 3752 4190 4162 3754 3755 "
        "3756 3757 3758 4133 3759 3760 3721"
    ),
    "lower_margin": (
        "3742 4425 3741 3740 3739 3738 3737 3736 3735 3734 3733 3732 3731 3730 3729 3728 "
        "3727 3726 3725 3724 3723 3722 3832 4434 3721"
    ),
    "crease": (
        "3581 2911 2888 2884 2883 2882 4124 3260 2919 4168 2802 2927 3238 2801 2800 4139 3205 2947 2948"
    ),
    "bulge": ("2761 3151 3275 3552 3280 3287 3294 3301 3308 3347 3377 4357"),
    "upper_lash": (
        "2872 2871 2870 3585 2905 3830 2860 2852 2853 4128 3264 2923 4164 2849 2931 3242 "
        "2847 2848 4135 3201 2809 2808"
    ),
    "lower_lash": (
        "2907 3573 3596 2836 2835 2813 2816 2903 2818 2819 2824 2821 3100 2829 2786 2785 3834 4436 2808"
    ),
}

LEVELS = 12  # edge loops of skin kept around the lid margins
BLEND_FROM_LEVEL = 8  # patch alone up to here, face alone from LEVELS on


@dataclass(frozen=True)
class Patch:
    """Topology of the eye patch: V vertices; indices are the patch's unless they say face."""

    face_vertex_os: np.ndarray  # (V) i32
    face_vertex_od: np.ndarray  # (V) i32
    triangles: np.ndarray  # (T,3) i32
    level: np.ndarray  # (V) edge loops from the margins: 0 on them, + skin, - inside the opening
    column: np.ndarray  # (V) nearest vertex of the margins, as a position in `loop`
    loop: np.ndarray  # the margins' closed loop: upper inner -> outer, then lower outer -> inner
    edge: np.ndarray  # (V) bool, the lids' innermost vertices, tucked into the globe
    lake: np.ndarray  # (V) bool, caruncle and canthal floor, between the margins nasally
    averaging: sp.csr_matrix  # (V,V) mean of the neighbours
    lines: dict[str, np.ndarray]

    @property
    def is_upper(self) -> np.ndarray:
        return self.column < len(self.lines["upper_margin"])


def make_patch(ict: Ict) -> Patch:
    """Cut the eye patch out of the face. Raises ValueError if the lines are not chains of its mesh."""
    quads = ict.quads[(ict.quads < N_FACE).all(axis=1)]
    neighbours = _neighbours(quads)
    lines = _lines(neighbours)
    outer_canthus = ict.neutral_mm[LANDMARKS68[45]]
    opening = min(
        boundary_loops(quads),
        key=lambda loop: np.linalg.norm(ict.neutral_mm[loop].mean(axis=0) - outer_canthus),
    )
    loop = lines["upper_margin"] + lines["lower_margin"][-2:0:-1]
    level, column = _levels(ict.neutral_mm, neighbours, loop, opening)

    vertices = np.array(sorted(level, key=lambda v: (abs(level[v]), v)), np.int32)
    position = -np.ones(len(ict.neutral_mm), np.int32)
    position[vertices] = np.arange(len(vertices))
    triangles = position[triangulate(quads)]
    triangles = triangles[(triangles >= 0).all(axis=1)]
    pairs = np.array(
        [(position[v], position[w]) for v in vertices for w in neighbours[v] if position[w] >= 0]
    )
    adjacency = sp.csr_matrix((np.ones(len(pairs)), pairs.T), shape=(len(vertices),) * 2)
    averaging = sp.diags(1 / np.asarray(adjacency.sum(axis=1)).ravel()) @ adjacency
    levels = np.array([level[v] for v in vertices])
    edge = np.isin(vertices, list(opening))
    # The inner lid surface is two loops deep; what lies further from the margins is the canthal floor.
    nasal = ict.neutral_mm[vertices, 0] < ict.neutral_mm[lines["upper_margin"][6], 0]
    return Patch(
        face_vertex_os=vertices,
        face_vertex_od=_mirrored(ict.neutral_mm, vertices),
        triangles=triangles.astype(np.int32),
        level=levels,
        column=np.array([column[v] for v in vertices]),
        loop=position[loop],
        edge=edge,
        lake=(levels < 0) & nasal & ~edge,
        averaging=averaging.tocsr(),
        lines={name: position[line] for name, line in lines.items()},
    )


def _neighbours(quads: np.ndarray) -> dict[int, set[int]]:
    """The vertices that an edge joins with each."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for quad in quads.tolist():
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            if a != b:
                neighbours[a].add(b)
                neighbours[b].add(a)
    return neighbours


def _lines(neighbours: dict[int, set[int]]) -> dict[str, list[int]]:
    """The named chains of vertices. Raises ValueError where two in a row are not joined."""
    lines = {name: [int(vertex) for vertex in line.split()] for name, line in LINES.items()}
    for name, line in lines.items():
        for a, b in zip(line, line[1:], strict=False):
            if b not in neighbours[a]:
                raise ValueError(f"{name}: got {a} and {b} not joined, expected ICT-FaceKit Light's mesh")
    return lines


def _levels(
    neutral_mm: np.ndarray, neighbours: dict[int, set[int]], loop: list[int], opening: list[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Rings around the margins' `loop`: each vertex' number of steps, negative inside, and its column."""
    level = dict.fromkeys(loop, 0)
    column = {vertex: i for i, vertex in enumerate(loop)}

    def grow(seed: list[int], sign: int, steps: int) -> None:
        ring = seed
        for step in range(1, steps + 1):
            parents = defaultdict(list)
            for vertex in ring:
                for other in neighbours[vertex]:
                    if other not in level:
                        parents[other].append(vertex)
            for vertex, candidates in parents.items():
                point = neutral_mm[vertex]
                parent = min(candidates, key=lambda v: np.linalg.norm(neutral_mm[v] - point))
                level[vertex], column[vertex] = sign * step, column[parent]
            ring = sorted(parents)

    # Inside first: everything that reaches the opening without crossing the margins.
    inside, stack = set(opening), list(opening)
    while stack:
        for other in neighbours[stack.pop()] - inside - set(loop):
            inside.add(other)
            stack.append(other)
    outside = set(neighbours) - inside - set(loop)
    level.update(dict.fromkeys(outside, 10**6))
    grow(loop, -1, 20)
    for vertex in outside:
        del level[vertex]
    grow(loop, +1, LEVELS)
    return level, column


def _mirrored(neutral_mm: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The vertices of the other side of the face. Raises ValueError where the mesh is not symmetric."""
    mirror = cKDTree(neutral_mm[:N_FACE] * [-1, 1, 1])
    distance, other = mirror.query(neutral_mm[vertices])
    if distance.max() > 0.2 or len(set(other.tolist())) != len(other):
        raise ValueError(f"mesh is not mirror symmetric: {distance.max():.2f} mm, expected at most 0.2")
    return other.astype(np.int32)


def globe_centre(patch: Patch, eye: np.ndarray) -> np.ndarray:
    """Centre (3) of the globe that the lids of `eye` (V,3) ride on: least squares, tied to their middle."""
    contact = eye[(patch.level <= 0) & (patch.level >= -1) & ~patch.lake]
    middle = contact.mean(axis=0)
    start = np.array([middle[0], middle[1], contact[:, 2].max() - CONTACT_RADIUS_MM])
    tie = 0.02 * len(contact) * np.diag([1.0, 1.0, 0.0])
    centre = start.copy()
    for _ in range(30):
        offset = contact - centre
        radius = np.linalg.norm(offset, axis=1)
        jacobian = -offset / radius[:, None]
        gradient = jacobian.T @ (radius - CONTACT_RADIUS_MM) + tie @ (centre - start)
        centre -= np.linalg.solve(jacobian.T @ jacobian + tie, gradient)
    return centre


def seat_on_globe(patch: Patch, eye: np.ndarray) -> np.ndarray:
    """`eye` (V,3) with every vertex off the globe and the lids' inner edge tucked into it."""
    radius = np.linalg.norm(eye, axis=1)
    wanted = np.where(patch.edge, EDGE_RADIUS_MM, np.maximum(radius, LID_RADIUS_MM))
    return eye * (wanted / radius)[:, None]


def smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


class Visor:
    """The lids of one eye (V,3), seated on its globe, as two visors.

    Abscissa s runs along the canthal axis, angle phi around it; at full closure both margins meet on the line
    phi_lower + LOWER_SHARE * (phi_upper - phi_lower).
    """

    LOWER_SHARE = 0.12
    SMOOTHING_STEPS = 30

    def __init__(self, patch: Patch, eye: np.ndarray):
        self.patch, self.eye = patch, eye
        upper, lower = patch.lines["upper_margin"], patch.lines["lower_margin"]
        along = eye[upper[-1]] - eye[upper[0]]
        along = along / np.linalg.norm(along)
        front = np.array([0, 0, 1.0]) - along[2] * along
        front /= np.linalg.norm(front)
        up = np.cross(front, along)
        self.axes = np.stack([along, up, front])
        self.s, y, z = self.axes @ eye.T
        self.phi, self.rho = np.arctan2(y, z), np.hypot(y, z)
        self.s_range = self.s[patch.loop].min(), self.s[patch.loop].max()
        self.upper_phi, upper_rho = self._over_s(upper, self.phi), self._over_s(upper, self.rho)
        self.lower_phi, lower_rho = self._over_s(lower, self.phi), self._over_s(lower, self.rho)
        self.gap = np.clip(self.upper_phi - self.lower_phi, 0, None)
        self.rho_gap = upper_rho - lower_rho

        # How much of the margin's turn each vertex takes part in, by its distance to the margin.
        distance = np.min(np.linalg.norm(eye[:, None] - eye[patch.loop][None], axis=2), axis=1)
        self.upper_share = 1 - smoothstep((distance - 4.5) / 12.5)
        self.lower_share = 1 - smoothstep((distance - 2.5) / 11.5)
        inner = patch.level <= 0
        self.upper_share[inner] = self.lower_share[inner] = 1
        # Inside the lake a vertex follows both lids, in proportion to where it lies between them.
        between = np.clip((self.phi - self.lower_phi) / np.maximum(self.gap, 1e-3), 0, 1)
        self.upper_part = np.where(patch.lake, between, patch.is_upper.astype(float))
        # Outside the tarsal plate skin gives way: displacements diffuse, near the canthi from the lashes on.
        low, high = self.s_range
        self.x = np.clip((self.s - (low + high) / 2) / ((high - low) / 2), -1, 1)
        plate = 0.8 + 2.2 * smoothstep((1 - np.abs(self.x)) / 0.35)
        self.soft = smoothstep((distance - plate) / 3.0) * (patch.level > 0) * (patch.level < LEVELS)

    def _over_s(self, chain: np.ndarray, values: np.ndarray) -> np.ndarray:
        order = chain[np.argsort(self.s[chain])]
        return np.interp(self.s, self.s[order], values[order])

    def move(self, upper: float = 0.0, lower: float = 0.0, skew: float = 0.0) -> np.ndarray:
        """Displacement (V,3). upper, lower: 0 rest, 1 each lid's way to closure, -1 retracted; skew > 0: the
        upper lid droops laterally, < 0 medially."""
        window = (1 - self.x**2) * self.gap.max()
        tilt = np.clip(1 + skew * self.x, 0, 2) if upper < 0.999 else 1.0
        upper_turn = (
            -upper * (1 - self.LOWER_SHARE) * self.gap * tilt if upper >= 0 else -upper * 0.4 * window
        )
        lower_turn = lower * self.LOWER_SHARE * self.gap if lower >= 0 else lower * 0.3 * window
        by_upper = self.upper_part * self.upper_share
        by_lower = (1 - self.upper_part) * self.lower_share
        phi = self.phi + by_upper * upper_turn + by_lower * lower_turn
        # Shut margins meet in depth, too.
        meet = np.clip(upper, 0, 1) * np.clip(lower, 0, 1) / 2 * self.rho_gap
        rho = self.rho + meet * (by_lower - by_upper)
        moved = np.stack([self.s, rho * np.sin(phi), rho * np.cos(phi)], axis=1) @ self.axes
        displacement = moved - self.eye
        for _ in range(self.SMOOTHING_STEPS):
            smooth = self.patch.averaging @ displacement
            displacement += self.soft[:, None] * 0.7 * (smooth - displacement)
        return seat_on_globe(self.patch, self.eye + displacement) - self.eye


def opening_mm(patch: Patch, eye: np.ndarray) -> float:
    """Largest vertical opening between the margins of `eye` (V,3), 0 if they touch or cross everywhere."""
    upper, lower = (eye[patch.lines[name]] for name in ("upper_margin", "lower_margin"))
    upper, lower = upper[np.argsort(upper[:, 0])], lower[np.argsort(lower[:, 0])]
    x = np.linspace(max(upper[0, 0], lower[0, 0]), min(upper[-1, 0], lower[-1, 0]), 80)
    y_upper, y_lower = (np.interp(x, line[:, 0], line[:, 1]) for line in (upper, lower))
    return max(0.0, float((y_upper - y_lower).max()))


def depth_mm(patch: Patch, eye: np.ndarray) -> float:
    """Depth of the deepest lid vertex (without the tucked edge) in the globe; negative: all clear."""
    return float(GLOBE_RADIUS_MM - np.linalg.norm(eye[~patch.edge], axis=1).min())


def patch_blend(patch: Patch) -> np.ndarray:
    """(V) share of the patch in the final mesh: 1 inside, 0 on its outer loop, where the face takes over."""
    return 1 - smoothstep((patch.level - BLEND_FROM_LEVEL) / (LEVELS - BLEND_FROM_LEVEL))


def brow_region(patch: Patch, template: np.ndarray) -> np.ndarray:
    """(V) weight of the skin above the crease, which the brows carry with them (Eqs. (23, 24))."""
    crease = template[patch.lines["crease"]]
    above = template[:, 1] - np.interp(template[:, 0], crease[:, 0], crease[:, 1])
    return smoothstep(above / 6) * (patch.level > 0)
