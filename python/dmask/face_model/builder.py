"""The stages that make the arrays of face.dmm and eyelid.dmm from ICT-FaceKit Light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dmask.face_model import bilinear, eyelid, eyelid_bases, face, ict, mouth, paint
from dmask.io import container

SEED = 20
# How firmly each of the 68 landmarks sits in the skull, and how surely it is seen: they give the head's axes.
MARK_WEIGHTS = np.repeat([0.35, 0.5, 0.7, 0.6, 0.3], [17, 10, 9, 12, 20])  # contour, brows, nose, lids, lips
MARK_WEIGHTS[[36, 39, 42, 45]] = 1.8  # canthi
BLINK_OVERLAP = 1.03  # the upper lid goes a little past the lower one: linear units shut not everybody alike


@dataclass(frozen=True)
class Sizes:
    identity: int = 80  # identity modes of the face
    interaction: int = 48  # P
    lid_identity: int = 24  # shape modes from identities, beside the synthetic ones
    lid_motion: int = 16
    people: int = 300  # identities sampled for the eyelids
    states: int = 1500  # lid states sampled
    contour: int = 18  # candidates a jaw point
    eye_weight: float = 8.0  # of lid vertices in the interaction's truncation


def quantise(modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L,N,3) -> int16 and its step (L) f32."""
    step = np.maximum(np.abs(modes).reshape(len(modes), -1).max(axis=1), 1e-9) / 32767
    return np.round(modes / step[:, None, None]).astype(np.int16), step.astype(np.float32)


class Builder:
    """The stages of one build; each keeps what later ones and the report need."""

    def __init__(self, source: ict.Ict, sizes: Sizes, log: Callable[[str], None]):
        self.source, self.sizes, self.log = source, sizes, log
        self.rng = np.random.default_rng(SEED)
        self.mean, self.unit_mm = source.neutral_mm, source.unit_mm
        self.triangles = ict.triangulate(source.quads)
        loops = ict.boundary_loops(source.quads)
        centres = np.array([self.mean[loop].mean(axis=0) for loop in loops])
        self.neck_rim = np.array(loops[np.argmin(centres[:, 1])])
        lips = self.mean[ict.LANDMARKS68[48:68]].mean(axis=0)
        self.mouth_loop = loops[np.argmin(np.linalg.norm(centres - lips, axis=1))]
        self.modes, self.modes_in_mouth = bilinear.without_rigid_motion(
            source.identity_mm.astype(float),
            self.mean,
            ict.LANDMARKS68,
            MARK_WEIGHTS,
            source.mouth.identity_mm.astype(float),
            source.mouth.neutral_mm,
        )
        self.n_identity = min(sizes.identity, len(self.modes))
        self.patch = eyelid.make_patch(source)
        self.blend = eyelid.patch_blend(self.patch)

    def person(self, weights: np.ndarray) -> np.ndarray:
        """Neutral face (N,3) for weights of the leading identity modes."""
        return self.mean + np.tensordot(weights, self.modes[: len(weights)], 1)

    def sides(self) -> tuple[tuple[str, np.ndarray, np.ndarray], ...]:
        mirror = np.array([-1.0, 1, 1])
        return ("L", self.patch.face_vertex_os, np.ones(3)), ("R", self.patch.face_vertex_od, mirror)

    def sample_eyes(self, n_people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Seated eyes (2n,V,3) as OS; globe centres (2,n,3), OS and OD, head frame; identity weights."""
        weights = np.clip(self.rng.normal(size=(n_people, len(self.modes))), -2.5, 2.5)
        eyes, centres = [], np.empty((2, n_people, 3))
        for i, w in enumerate(weights):
            points = self.person(w)
            for side, (_, vertices, mirror) in enumerate(self.sides()):
                eye = points[vertices] * mirror
                centre = eyelid.globe_centre(self.patch, eye)
                eyes.append(eyelid.seat_on_globe(self.patch, eye - centre))
                centres[side, i] = centre * mirror
        return np.array(eyes), centres, weights

    def put_blinks(self, points: np.ndarray, units: np.ndarray) -> None:
        """Let eyeBlink in `units` (M,N,3) of a neutral face `points` shut its lids on its own globes."""
        for side, vertices, mirror in self.sides():
            eye = points[vertices] * mirror
            eye = eye - eyelid.globe_centre(self.patch, eye)
            seated = eyelid.seat_on_globe(self.patch, eye)
            shut = seated + eyelid.Visor(self.patch, seated).move(upper=BLINK_OVERLAP, lower=1.0) - eye
            row, blend = ict.UNIT_NAMES.index(f"eyeBlink_{side}"), self.blend[:, None]
            units[row, vertices] = blend * shut * mirror + (1 - blend) * units[row, vertices]

    def build_eyelid(self) -> dict[str, np.ndarray]:
        sizes, patch = self.sizes, self.patch
        eyes, centres, weights = self.sample_eyes(sizes.people)
        self.bases = eyelid_bases.build_bases(
            patch, eyes, self.unit_mm, sizes.lid_identity, sizes.lid_motion, sizes.states, self.rng
        )
        design = np.concatenate([np.ones((len(weights), 1)), weights], axis=1)
        slopes = [np.linalg.lstsq(design, c, rcond=None)[0][1 : self.n_identity + 1] for c in centres]
        centre_os = eyelid.globe_centre(patch, self.mean[patch.face_vertex_os])
        bases = self.bases
        arrays = {
            "template": bases.template,
            "shape": bases.shape,
            "motion": bases.motion,
            "named_motion": bases.named_motion,
            "named_in_motion": bases.named_in_motion,
            **{f"{name}_from_shape": slope for name, slope in bases.blink_from_shape.items()},
            "blend": self.blend,
            "brow_region": eyelid.brow_region(patch, bases.template),
            "albedo": self.colours()[patch.face_vertex_os],
            "centre_os": centre_os,
            "centre_sd": centres[0].std(axis=0),
            "centre_from_identity": slopes[0],
            "centre_from_identity_od": slopes[1],
        }
        arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
        self.log(
            f"eyelids: {len(patch.level)} vertices, {len(bases.shape)} shapes, {len(bases.motion)} motions"
        )
        return arrays | {
            "shape_names": container.strings(bases.shape_names),
            "motion_names": container.strings(f"lid{i:02d}" for i in range(len(bases.motion))),
            "named_motion_names": container.strings(eyelid_bases.NAMED_MOTIONS),
            "triangles": patch.triangles,
            "face_vertex_os": patch.face_vertex_os,
            "face_vertex_od": patch.face_vertex_od,
            "inner_edge": patch.edge.astype(np.uint8),
            **{name: line.astype(np.int32) for name, line in patch.lines.items()},
        }

    def build_face(self) -> dict[str, np.ndarray]:
        sizes, patch, mean = self.sizes, self.patch, self.mean
        transfer = bilinear.DeformationTransfer(
            mean, self.unit_mm.astype(float), self.triangles, self.neck_rim
        )

        def units_of(weights: np.ndarray) -> np.ndarray:
            points = self.person(weights)
            units = transfer(points)
            self.put_blinks(points, units)
            return units

        self.units_of = units_of
        self.units = self.unit_mm.astype(float)
        self.put_blinks(mean, self.units)
        slopes = bilinear.identity_derivative(units_of, self.n_identity, self.rng)
        self.log(f"units transferred to {2 * self.n_identity} identities")
        weight = np.ones(len(mean))
        for _, vertices, _ in self.sides():
            weight[vertices[patch.level < 6]] = sizes.eye_weight
        self.coef, self.interaction = bilinear.factor_interaction(slopes, weight, sizes.interaction, self.rng)
        self.log(f"interaction factored into {sizes.interaction} modes")

        inside = mouth.open_mouth(self.source, self.mouth_loop, self.triangles)
        points = inside.extend_points(mean, self.source.mouth.neutral_mm)
        triangles = np.concatenate([self.triangles, inside.triangles])
        normals = face.vertex_normals(points, triangles)
        on_face = np.arange(len(points)) < ict.N_FACE
        arrays = {"mean": points.astype(np.float32)}
        for name, modes, in_mouth in (
            ("identity", self.modes[: self.n_identity], self.modes_in_mouth[: self.n_identity]),
            ("unit", self.units, self.source.mouth.unit_mm),
            ("interaction", self.interaction, None),  # teeth move as ICT's do, whoever's they are
        ):
            arrays[f"{name}_q"], arrays[f"{name}_step"] = quantise(inside.extend(modes, in_mouth))
        return arrays | {
            "interaction_coef": self.coef.astype(np.float32),
            "identity_mean": np.zeros(self.n_identity, np.float32),
            "identity_cov": np.eye(self.n_identity, dtype=np.float32),
            "unit_names": container.strings(ict.UNIT_NAMES),
            "triangles": triangles,
            "landmarks68": ict.LANDMARKS68,
            "contour_rows": face.contour_rows(points, normals, on_face, sizes.contour),
            "albedo": np.concatenate([self.colours(), inside.albedo]).astype(np.float32),
        }

    def colours(self) -> np.ndarray:
        return paint.paint_face(self.mean, self.triangles, self.mouth_loop, self.patch)
