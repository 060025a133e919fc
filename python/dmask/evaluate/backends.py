"""Two backends on the same frames, stage by stage: how far apart they are, and how long each takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dmask.arrays import Pixels
from dmask.measure.largest import largest
from dmask.run.stages import DETECT, FIT, Stages
from dmask.stopwatch import stopwatch

# Two backends count as equal while their 95th percentiles stay below these. Nets in f16 move a landmark by up
# to 0.2 px of a 128 px crop, which is 0.4 % of the distance of the outer eye corners.
TOLERANCES = {
    "face_pct": 0.4,
    "lid_pct": 0.4,
    "iris_pct": 0.4,
    "head_deg": 0.3,
    "gaze_deg": 0.7,
    "lid_mm": 0.2,
    "mask_grey_levels": 1.0,
    "validity": 0.0,
}
BATCH_TOLERANCES = {"head_deg": 0.01, "head_mm": 0.02, "unit": 1e-3, "gaze_deg": 0.02, "fissure_mm": 0.02}
WHAT = {
    "face_pct": "68 points, % of the outer eye corners",
    "lid_pct": "lid points, the same",
    "iris_pct": "iris points, the same",
    "head_deg": "head's angles",
    "gaze_deg": "eyes' angles",
    "lid_mm": "MRD1 and palpebral fissure, mm",
    "mask_grey_levels": "mask, mean over the picture, grey levels",
    "validity": "face or eye measured by one only",
}
ARTICLE_MS = {"fit_face": 7.0, "fit_eyelid": 14.0, "fit_eyeball": 4.0}  # i7 and GTX 1080: other hardware


def compare(
    video: Path, reference: dict[str, Any], other: dict[str, Any], most_frames: int = 300
) -> dict[str, Any]:
    """The differences between two sets of options (values by name) over a video, and the timings of both.

    As in use, every stage gets its input from its own pipeline's stage before. Raises Error.
    """
    from dmask.io.source import open_source
    from dmask.options import make_pipeline

    source = open_source(video)
    frames = [frame for _, frame in zip(range(most_frames), source, strict=False)]
    source.close()
    sides = [Side(make_pipeline(options), frames) for options in (reference, other)]
    differences: dict[str, list[float]] = {name: [] for name in TOLERANCES}
    for a, b, frame in zip(sides[0].detections, sides[1].detections, frames, strict=True):
        add_points(differences, a, b)
        add_results(differences, *(side.finish(one) for side, one in zip(sides, (a, b), strict=True)))
        del frame
    batch = None
    if sides[1].pipeline.backend == "tensorrt":
        batch = sides[1].pipeline.compare_batch_fit(sides[1].detections)
    found = [sum(one.face_found for one in side.detections) for side in sides]
    rows = {name: spread(values) for name, values in differences.items()}
    passed = found[0] == found[1] > 0 and all(
        row is None or row["p95"] <= TOLERANCES[name] for name, row in rows.items()
    )
    return {
        "frames": len(frames),
        "frames_with_face": found,
        "differences": rows,
        "tolerances_p95": TOLERANCES,
        "batch_fit": batch,
        "equal": passed and (batch is None or batch_is_equal(batch)),
        "stages": [side.stages.summary() for side in sides],
    }


def batch_is_equal(batch: dict[str, float]) -> bool:
    """Fits of all frames at once in single precision against the CPU's, frame by frame in double."""
    return not batch["reasons"] and all(batch[name] <= most for name, most in BATCH_TOLERANCES.items())


class Side:
    """One pipeline's way through the frames."""

    def __init__(self, pipeline: Any, frames: list[Any]):
        self.pipeline, self.stages = pipeline, Stages()
        self.detections, self._detect_ms = [], []
        for frame in frames:
            elapsed_ms = stopwatch()
            self.detections.append(pipeline.detect(frame.bgr, frame.time_s))
            self._detect_ms.append(elapsed_ms())
            self.stages.take(pipeline.detect_timings(), DETECT)
        pipeline.calibrate(self.detections)

    def finish(self, detection: Any) -> tuple[Any, Pixels]:
        elapsed_ms = stopwatch()
        result = self.pipeline.fit(detection)
        mask = self.pipeline.render(result)
        rest_ms = elapsed_ms()
        self.stages.take(self.pipeline.fit_timings(), FIT)
        self.stages.add("frame_to_mask", self._detect_ms.pop(0) + rest_ms)
        return result, mask


def add_points(differences: dict[str, list[float]], a: Any, b: Any) -> None:
    if not (a.face_found and b.face_found):
        return
    face = np.asarray(a.face)[:, :2]
    corners_px = float(np.linalg.norm(face[36] - face[45]))

    def apart_pct(one: Any, two: Any) -> list[float]:
        seen = np.asarray(one)[:, 2] >= 0.5  # a hidden point is a guess
        moved = np.linalg.norm(np.asarray(one)[:, :2] - np.asarray(two)[:, :2], axis=1)
        return [float(pct) for pct in 100 * moved[seen] / corners_px]

    differences["face_pct"] += apart_pct(a.face, b.face)
    for eye in ("od", "os"):
        differences["lid_pct"] += apart_pct(getattr(a, eye).lid, getattr(b, eye).lid)
        differences["iris_pct"] += apart_pct(getattr(a, eye).iris, getattr(b, eye).iris)


def add_results(differences: dict[str, list[float]], a: tuple[Any, Any], b: tuple[Any, Any]) -> None:
    (one, mask_one), (two, mask_two) = a, b
    differences["mask_grey_levels"].append(
        float(np.abs(mask_one.astype(np.int16) - mask_two.astype(np.int16)).mean())
    )
    parts = [(one, two, "face_valid"), (one.od, two.od, "valid"), (one.os, two.os, "valid")]
    differences["validity"] += [float(getattr(e, name) != getattr(f, name)) for e, f, name in parts]
    if not (one.face_valid and two.face_valid):
        return
    for name in ("head_yaw_deg", "head_pitch_deg", "head_roll_deg"):
        differences["head_deg"] += apart(getattr(one, name), getattr(two, name))
    for eye in ("od", "os"):
        e, f = getattr(one, eye), getattr(two, eye)
        if not (e.valid and f.valid):
            continue
        differences["gaze_deg"] += apart(e.yaw_deg, f.yaw_deg) + apart(e.pitch_deg, f.pitch_deg)
        differences["lid_mm"] += apart(e.mrd1_mm, f.mrd1_mm) + apart(e.pfh_mm, f.pfh_mm)


def apart(one: float, two: float) -> list[float]:
    """The difference; NaN where only one of them was measured, and nothing where neither was."""
    return [] if np.isnan(one) and np.isnan(two) else [abs(one - two)]


def spread(values: list[float]) -> dict[str, float] | None:
    """None without any; NaN where a value is NaN, so that no tolerance holds."""
    if not values:
        return None
    p50, p95 = np.percentile(values, (50, 95)).tolist()
    return {"p50": p50, "p95": p95, "max": largest(values), "n": len(values)}


def print_comparison(report: dict[str, Any], names: tuple[str, str]) -> None:
    found = report["frames_with_face"]
    print(f"{report['frames']} frames, face found in {found[0]} ({names[0]}) and {found[1]} ({names[1]})")
    print(f"{'difference':<44}{'p50':>9}{'p95':>9}{'max':>9}{'allowed p95':>13}")
    for name, row in report["differences"].items():
        numbers = "".join(f"{row[key]:>9.4f}" for key in ("p50", "p95", "max")) if row else f"{'none':>27}"
        print(f"{WHAT[name]:<44}{numbers}{report['tolerances_p95'][name]:>13.1f}")
    print(f"{'stage, p50 ms':<44}{names[0]:>9}{names[1]:>9}{'article':>9}")
    for name in report["stages"][0] | report["stages"][1]:
        cells = [side.get(name, {}).get("p50_ms") for side in report["stages"]]
        row = "".join(f"{'' if ms is None else f'{ms:.2f}':>9}" for ms in (*cells, ARTICLE_MS.get(name)))
        print(f"{name:<44}{row}")
    if batch := report["batch_fit"]:
        worst = ", ".join(f"{name} {batch[name]:.2g} ({most:g})" for name, most in BATCH_TOLERANCES.items())
        print(f"{batch['frames']} frames fitted at once on the GPU, largest differences (allowed): {worst}")
        print(f"at once {batch['batch_ms']:.3f} ms a frame, one by one on the CPU {batch['tracker_ms']:.3f}")
    print("the article's times are from other hardware (i7, GTX 1080)")
    print("equal within the tolerances" if report["equal"] else "NOT EQUAL within the tolerances")
