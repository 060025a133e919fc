"""What an open mouth shows, light enough to be drawn with every face: the lips' inside, gums, teeth, tongue.

None of it is a patient's: teeth and tongue are ICT-FaceKit's mean ones, the lower ones move with the jaw.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

from dmask.face_model import ict, paint
from dmask.face_model.sheet import Sheet, grid_triangles
from dmask.face_model.teeth import Surface, teeth, tongue

# The lining behind the lips: mm sideways, up or down, and back from the lips' loop. The throat ends it.
LINING_RINGS = ((2.0, 9.0, 9.0), (9.0, 17.0, 34.0))
THROAT_MM = 62.0
LINING_STEP = 2  # every second vertex of the loop

# The lower lip's wet inner edge, rows of mm above the lip's line and behind it: a shut mouth leaves up to a
# millimetre between the skins of the lips, and no tooth shows there.
LIP_EDGE = ((-0.3, -0.5), (1.1, -1.4))
CORNER_MM = (2.0, 6.0)  # from the corners of the mouth to where it begins, and is as high as that

LIT_MM = 8.0  # so far behind the lips everything is in full light
LIGHT_REACH_MM = 20.0  # and so much further back in a third of it


@dataclass(frozen=True)
class Mouth:
    """Vertices that follow others: positions = matrix @ points + offset, displacements without offset.

    `points` are the head's (N), then those of ICT-FaceKit's gums, tongue and teeth (M).
    """

    matrix: sp.csr_matrix  # (E,N+M)
    offset: np.ndarray  # (E,3) mm
    triangles: np.ndarray  # (T,3), indices into [head; these]
    albedo: np.ndarray  # (E,3) BGR

    def extend_points(self, head: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """(N,3) of the head and (M,3) in the mouth -> (N+E,3)."""
        return np.concatenate([head, self.matrix @ np.concatenate([head, inside]) + self.offset])

    def extend(self, head: np.ndarray, inside: np.ndarray | None) -> np.ndarray:
        """Displacements (K,N,3) of the head and (K,M,3) in the mouth (None: still) -> (K,N+E,3)."""
        if inside is None:
            inside = np.zeros((len(head), self.matrix.shape[1] - head.shape[1], 3), head.dtype)
        moved = [self.matrix @ layer for layer in np.concatenate([head, inside], axis=1)]
        return np.concatenate([head, np.array(moved, head.dtype)], axis=1)


def open_mouth(source: ict.Ict, loop: Sequence[int], triangles: np.ndarray) -> Mouth:
    """The mouth behind the boundary `loop` of the head's `triangles`."""
    head, inside = source.neutral_mm, source.mouth.neutral_mm
    surface = Surface(source)
    sheets = [
        lining(head, list(loop), triangles),
        lip_edge(head, triangles),
        teeth(surface, upper=True),
        teeth(surface, upper=False),
        tongue(surface),
    ]
    places = [place for sheet in sheets for place in sheet.rows]
    row = np.repeat(np.arange(len(places)), [len(place) for place in places])
    column = [vertex for place in places for vertex in place]
    weight = [w for place in places for w in place.values()]
    matrix = sp.csr_matrix((weight, (row, column)), shape=(len(places), len(head) + len(inside)))
    offset = np.concatenate([sheet.offset for sheet in sheets])
    first = len(head) + np.cumsum([0, *(len(sheet.rows) for sheet in sheets)])
    corners = [
        np.where(sheet.triangles < 0, ~sheet.triangles, sheet.triangles + start)
        for sheet, start in zip(sheets, first[:-1], strict=True)
    ]
    depth = (matrix @ np.concatenate([head, inside]) + offset)[:, 2]
    behind = head[ict.LANDMARKS68[[51, 57]], 2].mean() - depth - LIT_MM
    light = np.exp(-np.maximum(behind, 0) / LIGHT_REACH_MM)
    albedo = np.concatenate([sheet.albedo for sheet in sheets])
    return Mouth(
        matrix, offset, np.concatenate(corners).astype(np.int32), paint.mix(albedo, paint.DARK, 1 - light)
    )


def lining(points: np.ndarray, loop: list[int], triangles: np.ndarray) -> Sheet:
    """Goes on from the boundary `loop` of the lips, outside the teeth, to the throat. It moves as they do."""
    kept = loop[::LINING_STEP]
    size, count = len(loop), len(kept)
    # Away from the middle, as if the loop were round: that of a shut mouth is flat.
    around = points[kept, :2] - points[loop, :2].mean(axis=0)
    around /= np.abs(around).max(axis=0)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    offset = [np.c_[around, -np.ones(count)] * ring_mm for ring_mm in LINING_RINGS]
    rows = [{vertex: 1.0} for _ in LINING_RINGS for vertex in kept] + [dict.fromkeys(loop, 1 / size)]

    faces = []
    for i in range(count):
        j = (i + 1) % count
        a, between, b = (~loop[(LINING_STEP * i + k) % size] for k in range(3))
        faces += [(a, between, i), (between, b, j), (between, j, i)]
        faces += [(i, j, count + j), (i, count + j, count + i), (count + i, count + j, 2 * count)]
    corners = np.array(faces)
    # The loop's edges must run against those of the face for one orientation throughout.
    edges = {(a, b) for tri in triangles.tolist() for a, b in zip(tri, tri[1:] + tri[:1], strict=True)}
    if (loop[0], loop[1]) in edges:
        corners = corners[:, ::-1]
    return Sheet(
        rows, np.concatenate([*offset, [[0, 0, -THROAT_MM]]]), corners, np.tile(paint.LINING, (len(rows), 1))
    )


def lip_edge(points: np.ndarray, triangles: np.ndarray) -> Sheet:
    """A strip that stands behind the lower lip's line and moves with it."""
    marks = ict.LANDMARKS68[[60, 67, 66, 65, 64]].tolist()
    line = marks[:1]
    for a, b in itertools.pairwise(marks):
        line += shortest_way(points, triangles, a, b)[1:]
    from_corner = np.abs(points[line, 0]).max() - np.abs(points[line, 0])
    line = [vertex for vertex, mm in zip(line, from_corner, strict=True) if mm >= CORNER_MM[0]]
    height = np.clip((from_corner[from_corner >= CORNER_MM[0]] - CORNER_MM[0]) / np.ptp(CORNER_MM), 0, 1)
    rows, offset = [], []
    for up_mm, back_mm in LIP_EDGE:
        rows += [{vertex: 1.0} for vertex in line]
        offset += [[0, up_mm * share if up_mm > 0 else up_mm, back_mm] for share in height]
    albedo = np.repeat([0.5 * paint.LIPS, paint.WET_LIP], len(line), axis=0)
    return Sheet(rows, np.array(offset), grid_triangles(len(LIP_EDGE), len(line)), albedo)


def shortest_way(points: np.ndarray, triangles: np.ndarray, start: int, end: int) -> list[int]:
    """Vertices from `start` to `end` along the mesh's edges."""
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    length = np.linalg.norm(points[sides[:, 0]] - points[sides[:, 1]], axis=1)
    edges = sp.csr_matrix((length, (sides[:, 0], sides[:, 1])), shape=(len(points), len(points)))
    _, before = csgraph.dijkstra(edges.maximum(edges.T), indices=start, return_predecessors=True)
    way = [end]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    return way[::-1]
