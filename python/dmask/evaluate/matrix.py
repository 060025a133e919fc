"""`dmask eval rendered --matrix`: what is hard to read, case by case, against the truth of rendered patients.

It asks whether what is called valid is right within its stated standard deviation, and whether what cannot be
seen is called so. Each case is a line of a file that a later call goes on from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.axes import gaze_axis
from dmask.errors import WrongUse
from dmask.evaluate.matrix_cases import BEFORE, Case, cases

if TYPE_CHECKING:
    from dmask._core import EyeResult, FrameResult, Pipeline
    from dmask.synthetic.patient import Pose, SyntheticPatient

EYES = ("od", "os")
SIZE_PX = 512
FRAMES = 20  # of each case; BEFORE of them are without what comes then
PEOPLE_FRAMES = 60  # a lost face is not looked for at once
NOISE_SD = 3.0  # grey levels
RATE_FPS = 30
PATIENT = 3  # seed of the first
OTHER = 8  # seed of the second person
PUPIL_MM = 2.0  # radius within which an occluder hides it
HIDDEN, VISIBLE = 0.5, 0.1  # share of the pupil that is hidden: at least, at most
WITHIN_SD = 2.0  # of a Gaussian error 95 % lie within


def matrix(
    pipeline: Pipeline, quick: bool, patients: int, keep: Path | None, seen_by: Any = None
) -> dict[str, Any]:
    """Figures of every case and of every kind of case. Raises WrongUse where `keep` is of other cases.

    `seen_by` tells the pipeline: what another one saw is seen anew.
    """
    known = kept(keep)
    done = []
    for case in cases(quick):
        for seed in range(PATIENT, PATIENT + patients):
            key = json.dumps([asdict(case), seed, SIZE_PX, FRAMES, seen_by])
            if key not in known:
                known[key] = observe(pipeline, case, seed)
                if keep:
                    add_line(keep, json.dumps({"key": key, "seen": known[key]}))
            done.append((case, known[key]))
    return {
        "size_px": SIZE_PX,
        "frames": FRAMES,
        "patients": patients,
        "cases": by(done, lambda case: case.name),
        "kinds": by(done, lambda case: case.kind),
    }


def add_line(path: Path, line: str) -> None:
    """At the end of a file; a last line that was cut off stays a line of its own."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(f"{line}\n".encode())


def kept(path: Path | None) -> dict[str, Any]:
    """What an earlier call wrote; a last line that was cut off is left out."""
    found = {}
    if path and path.exists():
        for line in path.read_bytes().decode("utf-8", "replace").splitlines():
            try:
                entry = json.loads(line)
                found[entry["key"]] = entry["seen"]
            except (json.JSONDecodeError, KeyError, TypeError):
                if not line.startswith('{"key"'):
                    raise WrongUse(
                        f"{path} is not what --cases writes; expected a new or such a file"
                    ) from None
    return found


def by(done: list[tuple[Case, list[dict[str, Any]]]], name: Callable[[Case], str]) -> dict[str, Any]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for case, seen in done:
        rows.setdefault(name(case), []).extend(seen)
    return {row: figures(seen) for row, seen in rows.items()}


def observe(pipeline: Pipeline, case: Case, seed: int) -> list[dict[str, Any]]:
    """One entry a frame that the case is about, as `judged` makes it."""
    from dmask.synthetic.patient import SyntheticPatient

    patient = SyntheticPatient(seed, (SIZE_PX, SIZE_PX))
    pipeline.reset()
    detections, truths = [], []
    for number, (frame, truth) in enumerate(filmed(patient, case, np.random.default_rng([seed, 1]))):
        detections.append(pipeline.detect(np.ascontiguousarray(frame), number / RATE_FPS))
        truths.append(truth)
    pipeline.calibrate(detections)
    results = [pipeline.fit(detection) for detection in detections]
    changes = case.at_eye or case.put_on_later or case.yaw_deg or case.pitch_deg or case.people != "one"
    first = BEFORE + 1 if changes else 0  # the frame in which everything jumps says nothing
    return [judged(*pair) for pair in list(zip(results, truths, strict=True))[first:]]


def filmed(
    patient: SyntheticPatient, case: Case, random: np.random.Generator
) -> Iterator[tuple[Pixels, dict[str, Any]]]:
    """(frame, truth); the truth says besides which share of each pupil is hidden, and who is there."""
    from dmask.synthetic.patient import SyntheticPatient
    from dmask.synthetic.scenes import dimmed, two_people

    other = SyntheticPatient(OTHER, (SIZE_PX, SIZE_PX)) if case.people != "one" else None
    for number in range(FRAMES if case.people == "one" else PEOPLE_FRAMES):
        pose = posed(patient, case, number)
        frame, truth = patient.render(pose)
        hidden = np.zeros(frame.shape[:2])
        if case.lower and (number >= BEFORE or not case.put_on_later):
            frame, _ = drawn(frame, case.lower, patient, pose, middle_of_eyes(patient))
        for occluder in case.at_eye if number >= BEFORE else ():
            frame, more = drawn(frame, occluder, patient, pose, patient.eye_centre("od") + [0, 0, 12.0])
            hidden = np.maximum(hidden, more)
        frame = dimmed(frame, case.light, NOISE_SD, random)
        seen = {f"{eye}_hidden": hidden_share(patient, pose, eye, hidden) for eye in EYES}
        alone = True
        if other is not None:
            second = other.render(posed(other, case, number))[0]
            alone = case.people == "second_comes" or number < BEFORE  # the patient is still there
            shown = second if case.people == "first_leaves" or number >= BEFORE else None
            frame = two_people(frame if alone else None, shown, SIZE_PX)
        yield frame, truth | seen | {"there": alone, "judge_numbers": case.people == "one"}


def posed(patient: SyntheticPatient, case: Case, number: int) -> Pose:
    from dmask.synthetic.patient import Pose

    away = number >= BEFORE
    yaw_deg = 7 * np.sin(number / 3) if not (away and case.yaw_deg) else case.yaw_deg + np.sin(number / 3)
    pitch_deg = 3 * np.cos(number / 4) if not (away and case.pitch_deg) else case.pitch_deg
    down = max(0.0, -case.pitch_deg / 40) if away else 0.0  # the lids follow
    return Pose(
        head_yaw_deg=4 * np.sin(number / 5), head_pitch_deg=2 * np.sin(number / 7),
        head_roll_deg=case.roll_deg,
        od_yaw_deg=yaw_deg, os_yaw_deg=yaw_deg, od_pitch_deg=pitch_deg, os_pitch_deg=pitch_deg,
        lids_down=down, od_closure=0.1 * down, os_closure=0.1 * down,
    )  # fmt: skip


def middle_of_eyes(patient: SyntheticPatient) -> Floats:
    return np.asarray(0.5 * (patient.eye_centre("od") + patient.eye_centre("os")))


def drawn(frame: Pixels, occluder: Any, patient: SyntheticPatient, pose: Pose, at_mm: Floats) -> Any:
    """The occluder about a point of the head, as large as it is there."""
    from dmask.synthetic.occluders import Place, cover

    at_px, beside_px = patient.in_picture(np.array([at_mm, at_mm + [1.0, 0, 0]]), pose)
    across = beside_px - at_px
    return cover(frame, occluder, Place(at_px, px_per_mm(patient), roll_in_picture_deg(across)))


def px_per_mm(patient: SyntheticPatient) -> float:
    """Near the middle of the picture, at the distance of the face."""
    from dmask.synthetic.patient import Pose

    at_mm = middle_of_eyes(patient) + [0, 0, 12.0]
    a, b = patient.in_picture(np.array([at_mm, at_mm + [0, 10, 0]]), Pose())
    return float(np.linalg.norm(a - b) / 10)


def roll_in_picture_deg(across: Floats) -> float:
    return float(np.degrees(np.arctan2(-across[1], across[0])))


def hidden_share(patient: SyntheticPatient, pose: Pose, eye: str, hidden: Floats) -> float:
    """Share of the pupil that lids or an occluder hide."""
    pupil_px = patient.in_picture(patient.pupil(eye, pose)[None], pose)[0]
    rows, columns = np.mgrid[: hidden.shape[0], : hidden.shape[1]]
    within = np.hypot(columns - pupil_px[0], rows - pupil_px[1]) <= PUPIL_MM * px_per_mm(patient)
    if not within.any():
        return 1.0
    opening = np.zeros(hidden.shape, np.uint8)
    cv2.fillPoly(opening, [np.round(patient.lid_outline(eye)).astype(np.int32)], (1,))
    return float(np.where(opening > 0, hidden, 1.0)[within].mean())


def judged(result: FrameResult, truth: dict[str, Any]) -> dict[str, Any]:
    """What a frame says against what is true; errors only of what is valid."""
    entry: dict[str, Any] = {
        "face": result.face_valid,
        "face_reason": result.face_reason,
        "there": truth["there"],
    }
    if result.face_valid and truth["judge_numbers"]:
        entry["head_pitch_deg"] = rounded(result.head_pitch_deg - truth["head_pitch_deg"])
    for eye in EYES:
        entry[eye] = judged_eye(getattr(result, eye), truth, eye)
    return entry


def judged_eye(measured: EyeResult, truth: dict[str, Any], eye: str) -> dict[str, Any]:
    said = "valid" if measured.valid else measured.reason or "no reason"
    entry: dict[str, Any] = {"said": said, "hidden": rounded(truth[f"{eye}_hidden"])}
    if not truth["judge_numbers"]:
        return entry
    if measured.valid:
        axes = [
            gaze_axis(measured.yaw_deg, measured.pitch_deg),
            gaze_axis(truth[f"{eye}_yaw_deg"], truth[f"{eye}_pitch_deg"]),
        ]
        entry["gaze_deg"] = rounded(float(np.degrees(np.arccos(np.clip(axes[0] @ axes[1], -1, 1)))))
        entry["in_sd"] = [
            rounded(
                (getattr(measured, f"{axis}_deg") - truth[f"{eye}_{axis}_deg"])
                / getattr(measured, f"{axis}_sd_deg")
            )
            for axis in ("yaw", "pitch")
        ]
    entry["fissure_mm"] = rounded(measured.pfh_mm - truth[f"{eye}_pfh_mm"])
    entry["openness"] = rounded(measured.openness - truth[f"{eye}_openness"], 4)
    return entry


def rounded(value: float, decimals: int = 2) -> float | None:
    """None where nothing was measured."""
    return round(float(value), decimals) if np.isfinite(value) else None


def figures(seen: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the frames of a case or of several."""
    eyes = [entry[eye] for entry in seen for eye in EYES]
    said = [eye["said"] for eye in eyes]
    valid = [eye for eye in eyes if eye["said"] == "valid"]
    away = [entry for entry in seen if not entry["there"]]
    in_sd = [abs(value) for eye in valid for value in eye.get("in_sd", ()) if value is not None]
    hidden = [eye for eye in eyes if eye["hidden"] >= HIDDEN]
    visible = [eye for eye in eyes if eye["hidden"] <= VISIBLE]
    return {
        "frames": len(seen),
        "face_found": share(sum(entry["face"] for entry in seen), len(seen)),
        "reasons": {reason: share(said.count(reason), len(said)) for reason in sorted(set(said))},
        "gaze_deg": spread([eye.get("gaze_deg") for eye in valid]),
        "within_2_sd": share(sum(value <= WITHIN_SD for value in in_sd), len(in_sd)),
        "fissure_mm": spread([eye.get("fissure_mm") for eye in eyes]),
        "openness": spread([eye.get("openness") for eye in eyes]),
        "head_pitch_deg": spread([entry.get("head_pitch_deg") for entry in seen]),
        "hidden_but_valid": share(sum(eye["said"] == "valid" for eye in hidden), len(hidden)),
        "visible_but_covered": share(sum(eye["said"] == "covered" for eye in visible), len(visible)),
        "visible_but_not_valid": share(sum(eye["said"] != "valid" for eye in visible), len(visible)),
        "another_person_valid": share(sum(entry["face"] for entry in away), len(away)),
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def spread(values: list[float | None]) -> dict[str, float | None]:
    """Median and 95th percentile of the absolute errors; None without any."""
    known = np.abs([value for value in values if value is not None])
    if not known.size:
        return {"median": None, "p95": None}
    return {"median": round(float(np.median(known)), 4), "p95": round(float(np.percentile(known, 95)), 4)}


COLUMNS = (
    ("found", "face_found", 0, 7), ("gaze p50", "gaze_deg median", 2, 9), ("p95", "gaze_deg p95", 2, 7),
    ("in 2 sd", "within_2_sd", 2, 8), ("pfh p95", "fissure_mm p95", 2, 8), ("open p95", "openness p95", 3, 9),
    ("pitch p95", "head_pitch_deg p95", 1, 10), ("hid.valid", "hidden_but_valid", 0, 10),
    ("vis.cov.", "visible_but_covered", 0, 9), ("other", "another_person_valid", 0, 6),
)  # fmt: skip
SHARES = ("face_found", "hidden_but_valid", "visible_but_covered", "another_person_valid")  # in %


def as_text(report: dict[str, Any]) -> str:
    lines = []
    for title in ("cases", "kinds"):
        rows = report[title]
        width = max(map(len, rows)) + 2
        lines.append(
            f"{title:<{width}}" + "".join(f"{head:>{w}}" for head, _, _, w in COLUMNS) + "  eyes said, %"
        )
        for name, row in rows.items():
            cells = "".join(f"{cell(row, key, decimals):>{w}}" for _, key, decimals, w in COLUMNS)
            said = ", ".join(f"{reason} {100 * part:.0f}" for reason, part in row["reasons"].items())
            lines.append(f"{name:<{width}}{cells}  {said}")
        lines.append("")
    lines += [
        f"{report['patients']} patient(s), {report['frames']} frames of {report['size_px']} px a case; "
        "things are before the right eye.",
        "In %: found; hid.valid: pupil hidden, yet valid; vis.cov.: pupil visible, yet covered;",
        "other: another person measured.",
        "Gaze in degrees, of valid eyes; in 2 sd: share of yaw and pitch within twice the stated deviation;",
        "fissure (pfh) in mm, openness, head pitch in degrees",
    ]
    return "\n".join(lines)


def cell(row: dict[str, Any], key: str, decimals: int) -> str:
    value: Any = row
    for part in key.split():
        value = value[part]
    if value is None:
        return "-"
    return f"{100 * value if key in SHARES else value:.{decimals}f}"
