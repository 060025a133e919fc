"""`dmask face-model report`: what the models leave out: truncation, closure and depth in the globe.

Held-out faces and eyes come from ICT's own identity modes: these numbers measure truncation, not real people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from dmask.errors import Error
from dmask.face_model import eyelid, eyelid_bases, ict
from dmask.face_model.build import read_source, timed_log
from dmask.face_model.builder import Builder, Sizes
from dmask.face_model.eyelid import Patch
from dmask.face_model.eyelid_bases import Bases
from dmask.io.atomic import atomic_file

FACE_SIZES = ((40, 48), (60, 48), (80, 0), (80, 16), (80, 32), (80, 48))  # identity, interaction modes
LID_SIZES = ((8, 16), (16, 16), (24, 4), (24, 8), (24, 12), (24, 16))  # identity, motion modes
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def rms_mm(offsets: np.ndarray) -> float:
    """Root mean square length of offsets (...,3)."""
    return float(np.sqrt((offsets**2).sum(axis=-1).mean()))


def fit_both(
    target: np.ndarray, mean: np.ndarray, modes: np.ndarray, units: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    """The model's best mesh for `target` (D), identity and motion weights unknown: alternating least squares
    under weak N(0,1) priors. modes (K,D), units (M,D), slopes (K,M,D)."""
    motion = np.zeros(len(units))
    for _ in range(8):
        basis = modes + np.einsum("kmd,m->kd", slopes, motion)
        identity = ridge(basis, target - mean - motion @ units)
        basis = units + np.einsum("kmd,k->md", slopes, identity)
        motion = ridge(basis, target - mean - identity @ modes)
    return mean + identity @ modes + motion @ basis


def ridge(basis: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights of basis (K,D) for target (D) under a weak N(0,1) prior."""
    return np.linalg.solve(basis @ basis.T + 1e-2 * np.eye(len(basis)), basis @ target)


def face_truncation(builder: Builder, rng: np.random.Generator, n_people: int = 12) -> list[dict[str, float]]:
    """Errors over held-out identities: whole meshes with four random units each, motion of every unit with
    the identity known, and the opening that the blink unit leaves."""
    patch, mean, modes, units = builder.patch, builder.mean, builder.modes, builder.units
    regions = {
        "face": rng.choice(ict.N_FACE, 600, replace=False),
        "eyes": patch.face_vertex_os[patch.level <= eyelid.BLEND_FROM_LEVEL],
        "margin": patch.face_vertex_os[patch.loop],
    }
    which = np.concatenate(list(regions.values()))
    spans = np.split(np.arange(len(which)), np.cumsum([len(v) for v in regions.values()])[:-1])
    blink = ict.UNIT_NAMES.index("eyeBlink_L")

    def flat(fields: np.ndarray) -> np.ndarray:
        return fields[..., which, :].reshape(*fields.shape[:-2], 3 * len(which))

    people = []
    for _ in range(n_people):
        w = np.clip(rng.normal(size=len(modes)), -2.5, 2.5)
        neutral, own = builder.person(w), builder.units_of(w)
        motion = np.zeros(len(units))
        motion[rng.choice(len(units), 4, replace=False)] = rng.uniform(0.2, 0.8, 4)
        target = flat(neutral + np.tensordot(motion, own, 1))
        people.append((w, target, neutral[patch.face_vertex_os], own[:, which]))
    moved = np.linalg.norm(units[:, which], axis=2) > 0.5

    rows = []
    for k, p in FACE_SIZES:
        k, p = min(k, builder.n_identity), min(p, len(builder.interaction))
        coef, interaction = builder.coef[:k, :, :p], builder.interaction[:p]
        slopes = np.einsum("kmp,pd->kmd", coef, flat(interaction))
        errors, motion_errors, left = {name: [] for name in regions}, [], []
        for w, target, eye, own in people:
            fitted = fit_both(target, flat(mean), flat(modes[:k]), flat(units), slopes)
            offset = (fitted - target).reshape(-1, 3)
            for name, span in zip(regions, spans, strict=True):
                errors[name].append(rms_mm(offset[span]))
            mixture = np.tensordot(w[:k], coef, 1)
            motion = units[:, which] + np.tensordot(mixture, interaction[:, which], 1)
            motion_errors.append(rms_mm((motion - own)[moved]))
            shut = units[blink] + np.tensordot(mixture[blink], interaction, 1)
            left.append(eyelid.opening_mm(patch, eye + shut[patch.face_vertex_os]))
        row = {"identity modes": k, "interaction modes": p}
        row |= {f"{name} rms": float(np.mean(values)) for name, values in errors.items()}
        row |= {"units rms": float(np.mean(motion_errors))}
        rows.append(row | {"blink leaves, mean": float(np.mean(left)), "max": float(np.max(left))})
    return rows


def eyelid_truncation(
    patch: Patch, bases: Bases, eyes: np.ndarray, unit_mm: np.ndarray, rng: np.random.Generator
) -> list[dict[str, float]]:
    """Errors of the linear eyelid model on held-out seated eyes (n,V,3) in 150 random lid states."""
    units = eyelid_bases.patch_units(patch, unit_mm)
    cases = []
    for _ in range(150):
        eye = eyes[rng.integers(len(eyes))]
        cases.append(eye + eyelid_bases.act(patch, eye, units, eyelid_bases.random_state(rng)))
    n_identity = sum(name.startswith("identity") for name in bases.shape_names)
    skin = patch.level <= eyelid.BLEND_FROM_LEVEL
    weight = np.sqrt(bases.weight * skin)[:, None]
    rows = []
    for ks, km in LID_SIZES:
        ks, km = min(ks, n_identity), min(km, len(bases.motion))
        basis = np.concatenate([bases.shape[:ks], bases.shape[n_identity:], bases.motion[:km]])
        design = (basis * weight).reshape(len(basis), -1)
        offsets = []
        for case in cases:
            weights = ridge(design, ((case - bases.template) * weight).ravel())
            offsets.append(bases.template + np.tensordot(weights, basis, 1) - case)
        offsets = np.array(offsets)
        row = {"identity shapes": ks, "motions": km}
        rows.append(
            row | {"patch rms": rms_mm(offsets[:, skin]), "margin rms": rms_mm(offsets[:, patch.loop])}
        )
    return rows


def blink_path(bases: Bases, shape: np.ndarray, share: float) -> np.ndarray:
    """Displacement (V,3) of the linear model along rest, blink_mid, blink_full (share 0..1) for shape weights
    (Ks)."""
    names = list(eyelid_bases.NAMED_MOTIONS)
    middle, full = (
        bases.named_in_motion[names.index(name)] + shape @ bases.blink_from_shape[name]
        for name in eyelid_bases.BLINKS
    )
    weights = 2 * share * middle if share <= 0.5 else middle + (2 * share - 1) * (full - middle)
    return np.tensordot(weights, bases.motion, 1)


def closure_and_depth(
    patch: Patch, bases: Bases, rng: np.random.Generator, n_shapes: int = 200
) -> dict[str, float]:
    """Opening left when shut and depth of lid vertices in the globe, mm, over the linear motion range."""
    template, rest = bases.template, np.zeros(len(bases.shape))
    shares = np.linspace(0, 1, 21)
    named = {
        name: np.tensordot(weights, bases.motion, 1)
        for name, weights in zip(eyelid_bases.NAMED_MOTIONS, bases.named_in_motion, strict=True)
    }
    upper = ["upper_retract", "ptosis", "lateral_droop", "medial_droop"]
    lower = ["lower_raise", "lower_retract", "squint", "cheek_squint"]
    pairs = [named[a] + named[b] for a in upper for b in lower]
    single = [motion for name, motion in named.items() if name not in eyelid_bases.BLINKS]

    def depth(eye: np.ndarray, motions: list[np.ndarray]) -> float:
        return max(eyelid.depth_mm(patch, eye + motion) for motion in motions)

    left, depths = [], []
    for _ in range(n_shapes):
        weights = np.clip(rng.normal(size=len(rest)), -2.5, 2.5)
        eye = template + np.tensordot(weights, bases.shape, 1)
        left.append(eyelid.opening_mm(patch, eye + blink_path(bases, weights, 1.0)))
        depths.append(depth(eye, [blink_path(bases, weights, share) for share in shares[::2]] + single))
    return {
        "opening left by blink_full": eyelid.opening_mm(patch, template + named["blink_full"]),
        "opening left by blink_full, random shapes, mean": float(np.mean(left)),
        "opening left by blink_full, random shapes, 95th percentile": float(np.percentile(left, 95)),
        "deepest vertex, rest to blink_mid to blink_full": depth(
            template, [blink_path(bases, rest, share) for share in shares]
        ),
        "deepest vertex, other named motions, 1/4 to full": depth(
            template, [share * motion for motion in single for share in shares[5::5]]
        ),
        "deepest vertex, upper + lower motions, 1/4 to full": depth(
            template, [share * motion for motion in pairs for share in shares[5::5]]
        ),
        "deepest vertex, random shapes, all of these, median": float(np.median(depths)),
        "deepest vertex, random shapes, all of these, 95th percentile": float(np.percentile(depths, 95)),
    }


def mirror_error_mm(builder: Builder) -> float:
    """Largest difference between the two eyes' patches of the mean face, one mirrored."""
    os, od = (builder.mean[vertices] for _, vertices, _ in builder.sides())
    return float(np.abs(os - od * [-1, 1, 1]).max())


def tables(builder: Builder) -> str:
    """The measured part of the model card, in Markdown; lengths in mm."""
    rng = np.random.default_rng(1)
    eyes, centres, _ = builder.sample_eyes(40)
    numbers = closure_and_depth(builder.patch, builder.bases, rng)
    lines = [
        "Face, 12 held-out identities, four random units each, both weight vectors unknown; `units rms`: all",
        "units where they move more than 0.5 mm, identity known; `blink leaves`: opening after eyeBlink_L.",
        "",
        *_table(face_truncation(builder, rng)),
        "",
        "Eyelids, 150 random lid states of held-out eyes, weights unknown.",
        "",
        *_table(eyelid_truncation(builder.patch, builder.bases, eyes, builder.unit_mm, rng)),
        "",
        "Lids and the 12 mm globe (negative depth: clear of it).",
        "",
        *_table([{"quantity": name, "mm": value} for name, value in numbers.items()]),
        "",
        f"Mirror error of the two eye patches: {mirror_error_mm(builder):.3f} mm. "
        f"Eyeball centre over identities, sd: {np.array2string(centres[0].std(axis=0), precision=2)} mm.",
    ]
    return "\n".join(lines)


def _table(rows: list[dict[str, object]]) -> list[str]:
    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    head = list(rows[0])
    body = ["| " + " | ".join(cell(row[name]) for name in head) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body]


def renew(card: Path, measured: str) -> None:
    """Put the measured part between the marks of a model card; a new file gets nothing else."""
    text = card.read_text(encoding="utf-8") if card.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise ValueError(
            f"{card}: got no marks {BEGIN} ... {END}, expected both; add them where the tables go"
        )
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with atomic_file(card, overwrite=True) as partial:
        partial.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}", encoding="utf-8")


def run(args: argparse.Namespace) -> int:
    """Builds the models in memory and measures them. Raises Error where ICT's files are not there."""
    log = timed_log() if args.card else lambda message: None
    builder = Builder(read_source(args.ict), Sizes(), log)
    builder.build_eyelid()
    builder.build_face()
    measured = tables(builder)
    if args.card is None:
        print(measured)
        return 0
    try:
        renew(args.card, measured)
    except ValueError as error:
        raise Error(str(error)) from None
    log(f"{args.card}: tables renewed")
    return 0
