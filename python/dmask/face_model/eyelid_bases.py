"""Shape and motion bases of the eyelid patch: principal components of ICT identities and of lid states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dmask.face_model.eyelid import Patch, Visor, seat_on_globe, smoothstep
from dmask.face_model.ict import UNIT_NAMES

# What the lids can do. upper, lower, skew as in Visor.move; the rest are ICT units of the same eye.
NAMED_MOTIONS: dict[str, dict[str, float]] = {
    "blink_mid": {"upper": 0.5, "lower": 0.5},
    "blink_full": {"upper": 1.0, "lower": 1.0},
    "upper_retract": {"upper": -1.0},
    "lower_raise": {"lower": 1.0},
    "lower_retract": {"lower": -1.0},
    "ptosis": {"upper": 0.35},
    "lateral_droop": {"upper": 0.3, "skew": 0.7},
    "medial_droop": {"upper": 0.3, "skew": -0.7},
    "wide": {"upper": -0.7, "lower": -0.3},
    "look_down": {"upper": 0.5, "lower": -0.5},
    "look_up": {"upper": -0.4, "lower": 0.3},
    "squint": {"upper": 0.15, "lower": 1.0, "eyeSquint": 1.0},
    "cheek_squint": {"lower": 0.6, "cheekSquint": 1.0},
}
UNITS = ("eyeSquint", "cheekSquint")
BLINKS = ("blink_mid", "blink_full")
LID_WEIGHT, MARGIN_WEIGHT = 3.0, 6.0  # of lid rims and margins in the motion PCA: closure is judged there
NAMED_REPEATS = 60.0  # how often each named motion stands among the sampled states


@dataclass(frozen=True)
class Bases:
    template: np.ndarray  # (V,3)
    shape: np.ndarray  # (Ks,V,3), unit sd
    shape_names: list[str]
    motion: np.ndarray  # (Km,V,3), unit sd
    named_motion: np.ndarray  # (Kn,V,3)
    named_in_motion: np.ndarray  # (Kn,Km)
    blink_from_shape: dict[
        str, np.ndarray
    ]  # (Ks,Km) for each of BLINKS: what a shape adds to its named_in_motion
    weight: np.ndarray  # (V) of the motion PCA


def act(patch: Patch, eye: np.ndarray, units: dict[str, np.ndarray], state: dict[str, float]) -> np.ndarray:
    """Displacement (V,3) of a seated `eye` in a lid state; `units` are ICT's units on the patch."""
    visor = Visor(patch, eye)
    lids = {key: state[key] for key in ("upper", "lower", "skew") if key in state}
    displacement = visor.move(**lids)
    for name, unit in units.items():
        if name in state:
            displacement = displacement + state[name] * unit
    return seat_on_globe(patch, eye + displacement) - eye


def random_state(rng: np.random.Generator) -> dict[str, float]:
    """A lid state from the motion range: blink, retraction, ptosis, droop, gaze following, some squint."""
    kind = rng.integers(7)
    if kind == 0:
        closing = rng.uniform(0, 1)
        state = {"upper": closing, "lower": closing}
    elif kind == 1:
        state = {"upper": 1.0, "lower": 1.0}
    elif kind == 2:
        state = {"upper": rng.uniform(-1, 0), "lower": rng.uniform(-1, 0)}
    elif kind == 3:
        state = {"upper": rng.uniform(0.1, 0.7), "skew": rng.uniform(-0.7, 0.7)}
    elif kind == 4:
        state = {"upper": rng.uniform(-0.3, 0.3), "lower": rng.uniform(-1, 1)}
    elif kind == 5:
        down = rng.uniform(0, 1)
        state = {"upper": 0.6 * down, "lower": -0.6 * down}
    else:
        state = {
            "upper": rng.uniform(-0.3, 0.6),
            "lower": rng.uniform(-0.5, 0.5),
            "skew": rng.uniform(-0.3, 0.3),
        }
    if rng.uniform() < 0.4:
        state[UNITS[rng.integers(len(UNITS))]] = rng.uniform(0, 1)
    return state


def patch_units(patch: Patch, unit_mm: np.ndarray) -> dict[str, np.ndarray]:
    """ICT's units of the left eye (V,3) that lids take part in, by name without the side."""
    return {
        name: unit_mm[UNIT_NAMES.index(f"{name}_L")][patch.face_vertex_os].astype(float) for name in UNITS
    }


def principal(rows: np.ndarray, n_modes: int) -> np.ndarray:
    """The first n_modes principal modes of centred `rows` (n,d), each scaled to one standard deviation."""
    u, s, vt = np.linalg.svd(rows, full_matrices=False)
    sign = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)])  # the same result on every machine
    return (vt * sign[:, None])[:n_modes] * (s[:n_modes, None] / np.sqrt(len(rows)))


def synthetic_shapes(patch: Patch, eye: np.ndarray) -> dict[str, np.ndarray]:
    """Variation of folds that ICT's scans do not hold (V,3 each, mm at one standard deviation); invented."""
    low, high = eye[patch.loop, 0].min(), eye[patch.loop, 0].max()
    across = np.clip((eye[:, 0] - low) / (high - low), 0, 1)  # 0 inner canthus, 1 outer
    arch = np.sin(np.pi * across) ** 0.8
    level, outside = patch.level, patch.level > 0
    upper, lower = arch * (patch.is_upper & outside), arch * (~patch.is_upper & outside)
    normal = eye / np.linalg.norm(eye, axis=1, keepdims=True)
    nasal = (
        np.exp(-0.5 * (np.linalg.norm(eye - eye[patch.loop[0]], axis=1) / 5) ** 2) * patch.is_upper * outside
    )

    def ridge(at: float, width: float) -> np.ndarray:
        return np.exp(-0.5 * ((level - at) / width) ** 2)

    hood = (0.6 * normal + np.array([0, -0.8, 0])) * (upper * ridge(7.5, 1.4))[:, None]
    bag = smoothstep((level - 2) / 3) * (1 - smoothstep((level - 5) / 4))
    nasal_half = 1 - smoothstep((across - 0.3) / 0.4)
    shapes = {
        "crease_depth": -0.7 * normal * (upper * (ridge(6, 1.0) - 0.35 * ridge(8, 1.2)))[:, None],
        "crease_height": 0.6 * normal * (upper * (ridge(5, 1.0) - ridge(7.2, 1.0)))[:, None],
        "hood": hood,
        "hood_lateral": hood * smoothstep((across - 0.35) / 0.5)[:, None],
        "epicanthus": np.array([0.15, -0.4, 0.25]) * nasal[:, None],
        "bulge": 0.7 * normal * (lower * bag)[:, None],
        "bulge_low": 0.6 * normal * (lower * (ridge(9, 1.0) - 0.5 * ridge(6, 1.2)))[:, None],
        "tear_trough": -0.6 * normal * (lower * ridge(9, 1.0) * nasal_half)[:, None],
    }
    for shape in shapes.values():
        for _ in range(3):
            shape[:] = 0.5 * (shape + patch.averaging @ shape)
        shape[~outside] = 0
    return shapes


def build_bases(
    patch: Patch,
    eyes: np.ndarray,
    unit_mm: np.ndarray,
    n_identity: int,
    n_motion: int,
    n_states: int,
    rng: np.random.Generator,
) -> Bases:
    """Bases from seated eyes (n,V,3) and ICT's units (M,N,3)."""
    template = seat_on_globe(patch, eyes.mean(axis=0))
    n_eyes, n_vertices, _ = eyes.shape
    identity = principal((eyes - template).reshape(n_eyes, -1), n_identity).reshape(-1, n_vertices, 3)
    synthetic = synthetic_shapes(patch, template)
    shape = np.concatenate([identity, np.stack(list(synthetic.values()))])

    units = patch_units(patch, unit_mm)
    weight = np.where(np.abs(patch.level) <= 2, LID_WEIGHT, 1.0)
    weight[patch.edge] = 1.0
    weight[patch.loop] = MARGIN_WEIGHT
    named = np.stack([act(patch, template, units, state) for state in NAMED_MOTIONS.values()])
    states = np.stack(
        [act(patch, eyes[rng.integers(n_eyes)], units, random_state(rng)) for _ in range(n_states)]
    )
    rows = np.concatenate([states, named * np.sqrt(NAMED_REPEATS)]) * weight[:, None]
    motion = principal(rows.reshape(len(rows), -1), n_motion).reshape(-1, n_vertices, 3) / weight[:, None]
    motion *= np.sqrt((in_basis(motion, weight, states) ** 2).mean(axis=0))[:, None, None]

    # How the motion that shuts an eye, and half shuts it, depends on its shape.
    draws = rng.normal(size=(4 * len(shape), len(shape)))
    slope = {}
    for name in BLINKS:
        lids = NAMED_MOTIONS[name]
        change = []
        for w in draws:
            ends = []
            for sign in (1, -1):
                eye = template + np.tensordot(sign * w, shape, 1)
                seated = seat_on_globe(patch, eye)
                ends.append(seated + Visor(patch, seated).move(**lids) - eye)
            change.append((ends[0] - ends[1]) / 2)
        coefficients = in_basis(motion, weight, np.stack(change), tie=1e-3)
        slope[name] = np.linalg.lstsq(draws, coefficients, rcond=None)[0]
    return Bases(
        template=template,
        shape=shape,
        shape_names=[f"identity{i:02d}" for i in range(n_identity)] + list(synthetic),
        motion=motion,
        named_motion=named,
        named_in_motion=in_basis(motion, weight, named),
        blink_from_shape=slope,
        weight=weight,
    )


def in_basis(
    basis: np.ndarray, weight: np.ndarray, displacements: np.ndarray, tie: float = 1e-9
) -> np.ndarray:
    """Weighted least-squares coefficients (n,K) of displacements (n,V,3) in a basis (K,V,3)."""
    design = (basis * weight[:, None]).reshape(len(basis), -1)
    target = (displacements * weight[:, None]).reshape(len(displacements), -1)
    normal = design @ design.T
    return np.linalg.solve(
        normal + tie * np.trace(normal) / len(basis) * np.eye(len(basis)), design @ target.T
    ).T
