"""Readers of ICT-FaceKit Light (MIT, USC Institute for Creative Technologies): packed npz or OBJ folder.

Both give the same `Ict`: face, head, neck, and what is in the mouth; millimetres, +x patient's left, +y up,
+z out of the face.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

N_FACE = 9409  # face area with ears; its eye, mouth and nostril openings are the loops that the builder uses
N_HEAD = 11248  # face, head and neck
GUMS_AND_TONGUE = (14062, 17039)
# First and last + 1 vertex of each tooth, from the patient's third molar on the left to that on the right.
UPPER_TEETH = (17039, 17230, 17416, 17607, 17730, 17895, 17991, 18067)
UPPER_TEETH += (18143, 18219, 18295, 18391, 18556, 18679, 18870, 19056, 19247)
LOWER_TEETH = (19247, 19426, 19602, 19814, 19952, 20079, 20169, 20263)
LOWER_TEETH += (20349, 20435, 20529, 20619, 20746, 20884, 21096, 21272, 21451)
MOUTH = (GUMS_AND_TONGUE[0], LOWER_TEETH[-1])  # gums, tongue and teeth follow each other
MM_PER_CM = 10.0

_PAIRED = (
    "browDown browInnerUp browOuterUp cheekPuff cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut "
    "eyeLookUp eyeSquint eyeWide mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch "
    "mouthUpperUp noseSneer"
).split()
_SINGLE = (
    "jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker mouthRight "
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper"
).split()
UNIT_NAMES = tuple(sorted([f"{name}_{side}" for name in _PAIRED for side in "LR"] + _SINGLE))

# Vertices of the 68 iBUG landmarks: jaw 0-16 from the patient's right, brows 17-26, nose 27-35, OD 36-41
# (36 outer canthus), OS 42-47 (42 inner canthus), lips 48-67.
LANDMARKS68 = np.array(
    [1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443]
    + [268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509]
    + [978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360]
    + [1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732]
    + [5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841]
    + [5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966],
    np.int32,
)


@dataclass(frozen=True)
class Part:
    """neutral_mm (N,3) f64, identity_mm (K,N,3) f32, unit_mm (M,N,3) f32 in the order of UNIT_NAMES,
    quads (Q,4) i32 (a triangle repeats its last index)."""

    neutral_mm: np.ndarray
    identity_mm: np.ndarray
    unit_mm: np.ndarray
    quads: np.ndarray


@dataclass(frozen=True)
class Ict(Part):
    """Face, head and neck, N = N_HEAD; and gums, tongue and teeth, the vertices MOUTH of the whole."""

    mouth: Part


def read(path: str | Path) -> Ict:
    """Read an ict_light.npz, a folder with one, or an upstream FaceXModel folder of OBJ files.

    Raises FileNotFoundError if the path holds neither, ValueError if it is not the ICT topology.
    """
    path = Path(path)
    if path.is_file():
        return _read_npz(path)
    if (path / "ict_light.npz").is_file():
        return _read_npz(path / "ict_light.npz")
    for folder in (path, path / "FaceXModel"):
        if (folder / "generic_neutral_mesh.obj").is_file():
            return _read_objs(folder)
    raise FileNotFoundError(
        f"{path}: got neither ict_light.npz nor generic_neutral_mesh.obj, expected one of them; "
        "give the packed file or ICT-FaceKit's FaceXModel folder"
    )


def _read_npz(path: Path) -> Ict:
    with np.load(path) as packed:
        step_mm = np.float32(packed["delta_step_cm"] * MM_PER_CM)
        row = {str(name): i for i, name in enumerate(packed["expression_names"])}
        _require_units(path, row)
        units = packed["expression_delta_q"][[row[name] for name in UNIT_NAMES], : MOUTH[1]]
        return _ict(
            path,
            packed["neutral_cm"].astype(np.float64) * MM_PER_CM,
            packed["identity_delta_q"][:, : MOUTH[1]] * step_mm,
            units * step_mm,
            packed["quads"],
        )


def _read_objs(folder: Path) -> Ict:
    neutral, quads = _read_obj(folder / "generic_neutral_mesh.obj", with_faces=True)
    identity_paths = sorted(p for p in folder.glob("identity*.obj") if re.fullmatch(r"identity\d+", p.stem))
    if not identity_paths:
        raise FileNotFoundError(f"{folder}: got no identity000.obj ..., expected at least one identity mode")
    _require_units(folder, {p.stem for p in folder.glob("*.obj")})

    def deltas(paths: list[Path]) -> np.ndarray:
        out = np.empty((len(paths), MOUTH[1], 3), np.float32)
        for row, path in zip(out, paths, strict=True):
            vertices, _ = _read_obj(path, with_faces=False)
            if len(vertices) != len(neutral):
                raise ValueError(
                    f"{path}: got {len(vertices)} vertices, expected the neutral mesh's {len(neutral)}"
                )
            row[:] = (vertices[: MOUTH[1]] - neutral[: MOUTH[1]]) * MM_PER_CM
        return out

    unit_paths = [folder / f"{name}.obj" for name in UNIT_NAMES]
    return _ict(folder, neutral * MM_PER_CM, deltas(identity_paths), deltas(unit_paths), quads)


def _read_obj(path: Path, with_faces: bool) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = [], []
    with path.open() as file:
        for line in file:
            if line.startswith("v "):
                vertices.append(line[2:])
            elif with_faces and line.startswith("f "):
                corners = [int(corner.split("/")[0]) - 1 for corner in line.split()[1:]]
                if not 3 <= len(corners) <= 4:
                    raise ValueError(f"{path}: got a face of {len(corners)} corners, expected 3 or 4")
                faces.append(corners + corners[-1:] * (4 - len(corners)))
    points = np.array([line.split()[:3] for line in vertices], np.float64)
    return points, np.array(faces, np.int32).reshape(-1, 4)


def _require_units(path: Path, names: object) -> None:
    missing = [name for name in UNIT_NAMES if name not in names]
    if missing:
        raise ValueError(
            f"{path}: got no {', '.join(missing)}; expected all {len(UNIT_NAMES)} expression shapes"
        )


def _ict(
    path: Path, neutral_mm: np.ndarray, identity_mm: np.ndarray, unit_mm: np.ndarray, quads: np.ndarray
) -> Ict:
    if len(neutral_mm) < MOUTH[1] or quads.max() >= len(neutral_mm):
        raise ValueError(f"{path}: got {len(neutral_mm)} vertices, expected ICT-FaceKit's topology of 26719")

    def part(first: int, end: int) -> Part:
        inside = ((quads >= first) & (quads < end)).all(axis=1)
        return Part(
            neutral_mm[first:end],
            np.ascontiguousarray(identity_mm[:, first:end]),
            np.ascontiguousarray(unit_mm[:, first:end]),
            (quads[inside] - first).astype(np.int32),
        )

    head = part(0, N_HEAD)
    return Ict(head.neutral_mm, head.identity_mm, head.unit_mm, head.quads, part(*MOUTH))


def triangulate(quads: np.ndarray) -> np.ndarray:
    """Triangles (T,3) of quads (Q,4) whose triangles repeat the last index."""
    real = quads[:, 2] != quads[:, 3]
    return np.concatenate([quads[:, :3], quads[real][:, [0, 2, 3]]]).astype(np.int32)


def boundary_loops(quads: np.ndarray) -> list[list[int]]:
    """The mesh's boundary loops as vertex chains, longest first (each begins at its lowest vertex)."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    edges = edges[edges[:, 0] != edges[:, 1]]
    unique, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    neighbours: dict[int, list[int]] = {}
    for a, b in unique[counts == 1].tolist():
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    loops, seen = [], set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        loop, previous = [start], None
        while True:
            following = [v for v in neighbours[loop[-1]] if v != previous and (v not in seen or v == start)]
            if not following or following[0] == start:
                break
            previous = loop[-1]
            seen.add(following[0])
            loop.append(following[0])
        seen.update(loop)
        loops.append(loop)
    return sorted(loops, key=len, reverse=True)
