"""The shipped models made tiny, for the fuzz targets: a few vertices and modes, every array there.

python cpp/fuzz/make_seeds.py python/dmask/models cpp/fuzz/seeds
"""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from dmask import _core
from dmask.io import container

IDENTITIES, INTERACTIONS, SHAPES, MOTIONS = 50, 2, 3, 4  # the fits ask for 50 identities
UNITS = ("browDown_L", "browInnerUp_R", "eyeBlink_L", "eyeLookDown_L", "jawOpen", "mouthClose")
NAMED = ("blink_mid", "blink_full", "upper_retract", "wide")


def strip(*chains: list[int]) -> np.ndarray:
    """Triangles between neighbouring chains of vertices."""
    triangles = []
    for above, below in zip(chains, chains[1:], strict=False):
        for k in range(min(len(above), len(below)) - 1):
            triangles += [(above[k], below[k], below[k + 1]), (above[k], below[k + 1], above[k + 1])]
    return np.array(triangles, np.int32)


def tiny_face(face: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The arrays, and the vertices that were kept."""
    rows = face["contour_rows"][:, :2]
    kept = np.unique(np.concatenate([face["landmarks68"], rows.ravel()]))
    at = {int(vertex): k for k, vertex in enumerate(kept)}
    names = container.to_strings(face["unit_names"])
    units = [names.index(name) for name in UNITS]
    landmarks = [at[int(v)] for v in face["landmarks68"]]
    tiny = {
        "mean": face["mean"][kept],
        "identity_q": face["identity_q"][:IDENTITIES, kept],
        "identity_step": face["identity_step"][:IDENTITIES],
        "unit_q": face["unit_q"][units][:, kept],
        "unit_step": face["unit_step"][units],
        "interaction_q": face["interaction_q"][:INTERACTIONS, kept],
        "interaction_step": face["interaction_step"][:INTERACTIONS],
        "interaction_coef": np.ascontiguousarray(
            face["interaction_coef"][:IDENTITIES, units][:, :, :INTERACTIONS]
        ),
        "unit_names": container.strings(UNITS),
        "triangles": strip(landmarks[:17], landmarks[17:36], landmarks[36:55]),
        "landmarks68": np.array(landmarks, np.int32),
        "contour_rows": np.array([[at[int(v)] for v in row] for row in rows], np.int32),
        "albedo": face["albedo"][kept],
    }
    return tiny, kept


def tiny_eyelid(eyelid: dict[str, np.ndarray], face_kept: np.ndarray) -> dict[str, np.ndarray]:
    chains = {name: eyelid[name][::4] for name in ("upper_margin", "lower_margin", "crease", "bulge")}
    brow = np.flatnonzero(eyelid["brow_region"] > 0.5)[:3]
    kept = np.unique(np.concatenate([*chains.values(), brow, np.flatnonzero(eyelid["inner_edge"])[:4]]))
    at = {int(vertex): k for k, vertex in enumerate(kept)}
    own = {name: [at[int(v)] for v in chain] for name, chain in chains.items()}
    named = container.to_strings(eyelid["named_motion_names"])
    replaced = np.full(len(kept), -1, np.int32)
    replaced[:5] = np.arange(5) * (len(face_kept) // 5)
    tiny = {name: eyelid[name][kept] for name in ("template", "blend", "brow_region", "albedo", "inner_edge")}
    tiny |= {name: np.array(chain, np.int32) for name, chain in own.items()}
    tiny |= {name: eyelid[name][:IDENTITIES] for name in ("centre_from_identity", "centre_from_identity_od")}
    tiny |= {
        name: np.ascontiguousarray(eyelid[name][:SHAPES, :MOTIONS])
        for name in ("blink_mid_from_shape", "blink_full_from_shape")
    }
    return tiny | {
        "shape": eyelid["shape"][:SHAPES, kept],
        "motion": eyelid["motion"][:MOTIONS, kept],
        "centre_os": eyelid["centre_os"],
        "named_motion_names": container.strings(NAMED),
        "named_in_motion": np.ascontiguousarray(
            eyelid["named_in_motion"][[named.index(n) for n in NAMED], :MOTIONS]
        ),
        "triangles": strip(own["crease"], own["upper_margin"], own["lower_margin"], own["bulge"]),
        "face_vertex_os": replaced,
        "face_vertex_od": replaced,
    }


def tiny_track(path: Path, rows: int) -> None:
    """A track of the tiny models: still, straight ahead, 600 mm away."""
    row = np.zeros(7 + len(UNITS) + 2 * (3 + MOTIONS), np.float32)
    row[[0, 6, 7 + len(UNITS), 10 + len(UNITS) + MOTIONS]] = 1, 600, 1, 1
    od, os = (_core.MaskEye(np.zeros(SHAPES), [x_mm, 35.7, 84.2]) for x_mm in (-31.8, 31.8))
    track = _core.Track(32, 32, time_base=Fraction(1, 30), rate=Fraction(30))
    for number in range(rows):
        track.add(row, number / 30.0)
    track.write(str(path), _core.MaskSubject(np.zeros(IDENTITIES), od, os, profile="clinical"))


def main(models: Path, seeds: Path) -> None:
    face, kept = tiny_face(container.read(models / "face.dmm"))
    container.write(seeds / "face.dmm", face)
    container.write(seeds / "eyelid.dmm", tiny_eyelid(container.read(models / "eyelid.dmm"), kept))
    container.write(seeds / "landmarks.dmm", container.read(models / "landmarks.dmm"))
    tiny_track(seeds / "track.dmask", 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
