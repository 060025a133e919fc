"""`dmask eval visits`: clinical measures of rendered patients in an examination, against what they did.

Cover tests, nystagmus, beats too faint to be told, looks about, lids at rest: each a recording of its own,
measured from the frames up. No seed of theirs is one of training.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dmask.evaluate.lids_at_rest import lid_truth, ptosis_of
from dmask.evaluate.rendered import STUDIO_HELP, StudioOf, photographer_of
from dmask.io.atomic import atomic_file
from dmask.io.tables import FRAME_COLUMNS, Columns, Table, cell, values_row
from dmask.io.track import Lids
from dmask.measure.deviation import prism_dioptres
from dmask.measure.measured import Measured, recording
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.ranges import LARGEST_PX, number, whole
from dmask.studio_folders import add_studio_arguments
from dmask.synthetic.patient import EYES, SyntheticPatient
from dmask.synthetic.visits import (
    NO_BEATS,
    Photographer,
    Visit,
    at_rest,
    cover_test,
    looking_about,
    nystagmus,
    photographs,
)

if TYPE_CHECKING:
    from dmask._core import FrameDetection, Pipeline

SIZE_PX = 900
DISTANCE_MM = 420.0
KINDS = ("covers", "nystagmus", "healthy", "faint", "lids")
FAINT_DEG = (0.1, 0.4)  # beats below half a degree are refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=6, metavar="N", help="of each kind of visit")
    parser.add_argument("--first", type=whole(0), default=5000, metavar="N", help="number of the first")
    parser.add_argument("--rate", type=number(10, 240), default=60.0, metavar="FPS", help="frames a second")
    parser.add_argument("--size", type=whole(64, LARGEST_PX), default=SIZE_PX, metavar="PX")
    parser.add_argument("--only", choices=KINDS, metavar="KIND", help=f"one of {', '.join(KINDS)}")
    parser.add_argument("--tables", type=Path, metavar="DIR", help="keep each recording's frames.csv here")
    add_studio_arguments(parser, STUDIO_HELP)
    add_backend_arguments(parser)


def run(args: argparse.Namespace, studio_of: StudioOf) -> dict[str, Any]:
    """Raises WrongUse, Error."""
    photographer = photographer_of(args, studio_of)
    pipeline = make_pipeline(core_options(args) | {"profile": "article"})  # which lets out how lids lie
    rows: list[dict[str, Any]] = []
    for kind in KINDS if args.only is None else (args.only,):
        for seed in range(args.first, args.first + args.patients):
            patient = patient_of(kind, seed, args.size)
            visit = visit_of(kind, patient, seed, args.rate)
            seen = seen_in(pipeline, patient, visit, photographer(patient, seed), seed)
            if args.tables is not None:
                write_table(args.tables / f"{kind}_{seed}.csv", seen.frames)
            measured = recording(seen.frames, {"profile": pipeline.subject.profile}, lids=seen.lids)
            row = row_of(kind, seed, visit, measured, seen.px_per_deg)
            if kind == "covers":
                row |= {"open_eye": open_eye(visit, seen)}
            rows.append(row)
    return {"rate_fps": args.rate, "size_px": args.size, "visits": rows} | figures(rows)


def patient_of(kind: str, seed: int, size_px: int) -> SyntheticPatient:
    ptosis = ptosis_of(np.random.default_rng([seed, 15])) if kind == "lids" else (0.0, 0.0)
    place_mm = (0.0, -0.05 * DISTANCE_MM, DISTANCE_MM)
    return SyntheticPatient(seed, (size_px, size_px), ptosis=ptosis, place_mm=place_mm)


def visit_of(kind: str, patient: SyntheticPatient, seed: int, rate_fps: float) -> Visit:
    random = np.random.default_rng([seed, KINDS.index(kind), 15])
    if kind == "covers":
        horizontal = float(random.choice([-1, 1]) * random.uniform(1.5, 14))
        vertical = float(random.normal(0, 2.0)) if random.random() < 0.4 else 0.0
        straight = seed % 5 == 4
        deviation = (0.0, 0.0) if straight else (horizontal, vertical)
        latent = bool(seed % 2) and not straight
        return cover_test(patient, random, rate_fps, deviation, latent, alternate=seed % 4 < 2)
    if kind == "nystagmus":
        frequency_hz, amplitude_deg = float(random.uniform(2, 6)), float(random.uniform(2, 10))
        return nystagmus(
            patient,
            random,
            rate_fps,
            frequency_hz,
            amplitude_deg,
            pendular=seed % 3 == 2,
            vertical=seed % 4 == 3,
        )
    if kind == "faint":
        made = nystagmus(
            patient,
            random,
            rate_fps,
            float(random.uniform(2, 6)),
            float(random.uniform(*FAINT_DEG)),
            pendular=seed % 2 == 1,
            vertical=seed % 4 >= 2,
        )
        return Visit(f"too faint to be told, {made.kind}", made.moments, NO_BEATS)
    if kind == "lids":
        made = at_rest(patient, random, rate_fps)
        return Visit(made.kind, made.moments, dict(lid_truth(patient, made)))
    return looking_about(patient, random, rate_fps)


class Seen(NamedTuple):
    frames: dict[str, np.ndarray]  # the columns of frames.csv
    truths: list[dict[str, float]]  # of each frame
    lids: Lids
    px_per_deg: float


def seen_in(
    pipeline: Pipeline, patient: SyntheticPatient, visit: Visit, photograph: Photographer, seed: int
) -> Seen:
    pipeline.reset()
    detections: list[FrameDetection] = []
    truths: list[dict[str, float]] = []
    for time_s, frame, truth in photographs(patient, visit, photograph, seed):
        detections.append(pipeline.detect(frame, time_s))
        truths.append(truth)
    pipeline.calibrate(detections[:: max(1, len(detections) // 60)])
    columns, px_per_deg, rows = Columns(FRAME_COLUMNS), [], []
    for frame_number, detection in enumerate(detections):
        result = pipeline.fit(detection)
        columns.add(values_row(frame_number, result.to_dict()))
        rows.append(result.track_row)
        told = pipeline.unreleased_diagnostics()
        px_per_deg.append([told[f"{eye}_px_per_deg"] for eye in EYES])
    lids = Lids(pipeline.subject, np.array(rows))
    return Seen(columns.arrays(), truths, lids, float(np.nanmedian(px_per_deg)))


def open_eye(visit: Visit, seen: Seen) -> dict[str, dict[str, float]]:
    """How far the gaze of the eye in sight is off while its fellow is covered, and while neither is."""
    told: dict[str, dict[str, float]] = {}
    for state in ("fellow_covered", "both_in_sight"):
        errors, stated = [], []
        for eye, fellow in (("od", "os"), ("os", "od")):
            wanted = fellow if state == "fellow_covered" else ""
            rows = [
                i for i, moment in enumerate(visit.moments) if moment.covered == wanted and not moment.half
            ]
            for axis in ("yaw", "pitch"):
                name = f"{eye}_{axis}_deg"
                errors.append([seen.frames[name][i] - seen.truths[i][name] for i in rows])
                stated.append([seen.frames[f"{eye}_{axis}_sd_deg"][i] for i in rows])
        error, sd = np.abs(np.concatenate(errors)), np.concatenate(stated)
        measured = np.isfinite(error)
        error, sd = error[measured], sd[measured]
        told[state] = {
            "measured_share": float(measured.mean()),
            "median_error_deg": float(np.median(error)),
            "p95_error_deg": float(np.percentile(error, 95)),
            "within_1_96_sd_share": float((error <= 1.96 * sd).mean()),
        }
    return told


def write_table(path: Path, frames: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, overwrite=True) as partial:
        table = Table(partial, FRAME_COLUMNS)
        for row in zip(*(frames[name].tolist() for name in FRAME_COLUMNS), strict=True):
            table.write([value if isinstance(value, str) else cell(value, 6) for value in row])
        table.close()


def row_of(kind: str, seed: int, visit: Visit, measured: Measured, px_per_deg: float) -> dict[str, Any]:
    """What is true, and what was found of it, each eye for itself."""
    row: dict[str, Any] = {"seed": seed, "kind": kind, "what": visit.kind, "px_per_deg": round(px_per_deg, 3)}
    told: list[dict[str, Any]] = []
    for name, true in visit.truth.items():
        measure, condition, eye = (name.split("/") + ["", ""])[:3]
        for record in measured.records:
            if (record.measure, record.condition) == (measure, condition) and eye in ("", record.eye):
                told.append(
                    {
                        "measure": f"{measure}/{condition}".rstrip("/"),
                        "eye": record.eye,
                        "true": true,
                        "found": record.value,
                        "reason": record.reason,
                    }
                )
    return row | {"told": told}


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Errors by measure: of numbers their medians, of words how often they are right."""
    found: dict[str, Any] = {}
    for name, kinds in by_measure(rows).items():
        numbers = [(true, value) for true, value in kinds if isinstance(true, float)]
        words = [(true, value) for true, value in kinds if isinstance(true, str) and true]
        given = [(true, value) for true, value in numbers if isinstance(value, float)]
        if numbers:
            errors = np.abs([value - true for true, value in given])
            shares = errors / np.maximum(np.abs([true for true, _ in given]), 1e-9)
            found[name] = {
                "n": len(numbers),
                "not_measured": len(numbers) - len(given),
                "true_sd": float(np.std([true for true, _ in numbers])),
                "median_error": float(np.median(errors)) if given else None,
                "p95_error": float(np.percentile(errors, 95)) if given else None,
                "median_error_share": float(np.median(shares)) if given else None,
            }
            if name.endswith("_deg/alternate_cover") and given:
                pd = [abs(prism_dioptres(value) - prism_dioptres(true)) for true, value in given]
                found[name]["median_error_pd"] = float(np.median(pd))
        if words:
            right = sum(value == true for true, value in words)
            missing = sum(value is None for _, value in words)
            found[name] = {
                "n": len(words),
                "not_measured": missing,
                "right_share": right / len(words),
                "wrong_share": (len(words) - right - missing) / len(words),
            }
    told = [row["open_eye"] for row in rows if "open_eye" in row]
    if told:  # the median patient
        for state, one in told[0].items():
            found[f"gaze of the eye in sight, {state.replace('_', ' ')}"] = {
                name: float(np.median([patient[state][name] for patient in told])) for name in one
            }
    return {"measures": found}


def by_measure(rows: list[dict[str, Any]]) -> dict[str, list[tuple[Any, Any]]]:
    table: dict[str, list[tuple[Any, Any]]] = {}
    for row in rows:
        for one in row["told"]:
            table.setdefault(one["measure"], []).append((one["true"], one["found"]))
    return table


def as_text(told: dict[str, Any]) -> str:
    lines = []
    for row in told["visits"]:
        lines.append(f"{row['seed']}  {row['what']}, {row['px_per_deg']:.2f} px/deg")
        for one in row["told"]:
            found = one["reason"] if one["found"] is None else shown(one["found"])
            lines.append(f"      {one['measure']:<55}{one['eye']:<6}{shown(one['true']):>12}  {found}")
    for name, one in told["measures"].items():
        lines.append(f"{name:<60}" + "  ".join(f"{key} {shown(value)}" for key, value in one.items()))
    return "\n".join(lines)


def shown(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.3g}"
