"""How much gaze and lids tremble where nothing moves, and how much of a fast oscillation is kept.

python bench/gaze_noise.py [--patients N] --ict DIR --unityeyes2 DIR [CLIP ...]

Rendered patients as a camera sees them: still for 20 frames, smoothing off, at two sizes of the frame; then
5 degrees at 5 Hz filmed at 60 frames a second, of which the gain against truth is told. "net" is without the
motion that the pictures tell, "all" with it. Of clips: the noise from frame to frame (dmask.measure.noise),
which what people do in them is part of; and "still", the RMS from frame to frame while the picture moves
neither at the canthi nor at the irises (windows of dmask.evaluate.jitter).
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np

import dmask
from dmask import environment
from dmask.errors import WrongUse
from dmask.evaluate import jitter
from dmask.evaluate.tracks import interocular
from dmask.io.source import open_source
from dmask.io.tables import EYES
from dmask.measure.noise import noise_step
from dmask.studio_folders import add_studio_arguments, studio_folders
from dmask.synthetic import Pose, SyntheticPatient
from dmask.train.studio import Studio, StudioAssets

SEEDS = 400  # of the first patient
SIZES_PX = (900, 1750)  # about 0.6 and 1.2 px a degree
LOOKS, STILL, APART_S = 10, 20, 0.6
SWING_DEG, SWING_HZ, FPS, SWING_FRAMES = 5.0, 5.0, 60, 72
SETTLED = 12  # frames of a swing that do not count
NO_SMOOTHING = 1000.0
ANGLES = ("yaw_deg", "pitch_deg")
MEASURES = (*ANGLES, "pfh_mm")
CLIP_FRAMES = 240
STILL_PCT = 0.3  # of the interocular distance: how far the picture may move in a window, 1.2 degrees of gaze


def without_motion(detection: dmask.FrameDetection) -> dmask.FrameDetection:
    alone = copy.copy(detection)
    alone.moved_since_s = float("nan")
    return alone


def both_ways(
    pipeline: dmask.Pipeline, detections: list[dmask.FrameDetection]
) -> dict[str, list[dmask.FrameResult]]:
    alone = [without_motion(detection) for detection in detections]
    return {
        "net": [pipeline.fit(detection) for detection in alone],
        "all": [pipeline.fit(detection) for detection in detections],
    }


def column(results: Iterable[dmask.FrameResult], eye: str, name: str) -> np.ndarray:
    return np.array([getattr(getattr(result, eye), name) for result in results])


def looking(rng: np.random.Generator) -> Pose:
    yaw_deg, pitch_deg = rng.normal(0, 8), rng.normal(0, 4)
    return Pose(
        od_yaw_deg=yaw_deg, os_yaw_deg=yaw_deg, od_pitch_deg=pitch_deg, os_pitch_deg=pitch_deg,
        head_yaw_deg=rng.normal(0, 5), head_pitch_deg=rng.normal(0, 4),
    )  # fmt: skip


def swinging(k: int, axis: str) -> Pose:
    angle_deg = SWING_DEG * np.sin(2 * np.pi * SWING_HZ * k / FPS)
    return Pose(**{f"{eye}_{axis}": angle_deg for eye in EYES})


def of_patient(seed: int, size_px: int, assets: StudioAssets, pipeline: dmask.Pipeline) -> dict[str, float]:
    """Noise of still eyes, RMS from frame to frame, and at the smaller size the gain of a swing."""
    patient = SyntheticPatient(seed, (size_px, size_px))
    studio, rng = Studio(patient, assets, seed), np.random.default_rng(seed)
    pipeline.reset()
    looks = [pipeline.detect(studio.photograph(looking(rng), k)[0], APART_S * k) for k in range(LOOKS)]
    pipeline.calibrate(looks)
    pose, start_s = looking(rng), APART_S * LOOKS
    still = [pipeline.detect(studio.photograph(pose, LOOKS + k)[0], start_s + k / 30) for k in range(STILL)]
    out = {}
    for way, results in both_ways(pipeline, still).items():
        out["px_per_deg"] = np.nanmedian(column(results, "od", "px_per_deg"))
        for name in MEASURES:
            steps = [np.diff(column(results, eye, name)) for eye in EYES]
            out[f"{way} {name}"] = float(np.sqrt(np.nanmean(np.square(steps))))
    if size_px != SIZES_PX[0]:
        return out
    for axis in ANGLES:
        start_s += 10
        shown = [studio.photograph(swinging(k, axis), 100 + k) for k in range(SWING_FRAMES)]
        seen = [pipeline.detect(frame, start_s + k / FPS) for k, (frame, _) in enumerate(shown)]
        for way, results in both_ways(pipeline, seen).items():
            gains = []
            for eye in EYES:
                true = np.array([truth[f"{eye}_{axis}"] for _, truth in shown])[SETTLED:]
                found = column(results, eye, axis)[SETTLED:]
                kept = np.isfinite(found)
                if kept.sum() > SETTLED:
                    gains.append(np.polyfit(true[kept], found[kept], 1)[0])
            out[f"{way} gain {axis}"] = float(np.mean(gains)) if gains else np.nan
    return out


def watched(detection: dmask.FrameDetection) -> np.ndarray:
    """(6, 2) px: the canthi and the irises' centres."""
    eyes = detection.od, detection.os
    return np.array([point[:2] for eye in eyes for point in (eye.lid[0], eye.lid[10], eye.iris[0])], float)


def still_steps(seen: list[dmask.FrameDetection], moved_px: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """(F - 1,) bool: whether a frame and the next one lie in a window over which the picture stands still.

    moved_px (F, 6, 2): how far it moved at the watched places since the frame before.
    """
    steps = np.zeros(len(seen) - 1, bool)
    for first in range(len(seen) - jitter.WINDOW_FRAMES + 1):
        window = slice(first, first + jitter.WINDOW_FRAMES)
        if not all(detection.face_found for detection in seen[window]):
            continue
        places = np.cumsum(moved_px[window][1:], axis=0)
        span_px = np.linalg.norm(places.max(0) - places.min(0), axis=-1)
        most_px = STILL_PCT / 100 * interocular(np.asarray(seen[first].face)[None])[0]
        if changed[window].min() >= jitter.MIN_CHANGED and span_px.max() <= most_px:
            steps[first : first + jitter.WINDOW_FRAMES - 1] = True
    return steps


def of_clip(path: Path, pipeline: dmask.Pipeline) -> dict[str, float]:
    pipeline.reset()
    source, motion = open_source(path), jitter.PictureMotion()
    seen, moved_px, changed = [], [], []
    for frame in islice(source, CLIP_FRAMES):
        seen.append(pipeline.detect(frame.bgr, frame.time_s))
        if seen[-1].face_found:
            face = np.asarray(seen[-1].face[:, :2], float)
            step_px, share = motion.step(frame.bgr, face, watched(seen[-1]))
        else:
            step_px, share = np.full((6, 2), np.nan), 0.0
        moved_px.append(step_px)
        changed.append(share)
    source.close()
    pipeline.calibrate(seen[::4])
    time_s = np.array([detection.time_s for detection in seen])
    still = still_steps(seen, np.array(moved_px), np.array(changed))
    out: dict[str, float] = {"still_steps": float(still.sum())}
    for way, results in both_ways(pipeline, seen).items():
        out["px_per_deg"] = np.nanmedian(column(results, "od", "px_per_deg"))
        for name in MEASURES:
            steps = [noise_step(time_s, column(results, eye, name)) for eye in EYES]
            out[f"{way} {name}"] = np.mean([step for step in steps if step is not None])
            at_rest = np.array([np.diff(column(results, eye, name))[still] for eye in EYES])
            if np.isfinite(at_rest).any():
                out[f"still {way} {name}"] = float(np.sqrt(np.nanmean(np.square(at_rest))))
    return out


def line(name: str, figures: dict[str, float]) -> str:
    return f"{name:34}" + "  ".join(f"{key} {value:.3f}" for key, value in figures.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--patients", type=int, default=8, metavar="N")
    parser.add_argument("--weights", choices=("research", "open"), default="research")
    add_studio_arguments(parser, "ICT-FaceKit's folder, for patients as a camera sees them")
    args = parser.parse_args()
    try:
        folders = studio_folders(args)
    except WrongUse as error:
        parser.error(str(error))
    print(environment.hardware(), environment.versions())
    pipeline = dmask.Pipeline(
        dmask.Options(profile="article", backend="cpu", weights=args.weights, smoothing_scale=NO_SMOOTHING)
    )
    if folders:
        assets = StudioAssets.load(*folders)
        for size_px in SIZES_PX:
            rows = []
            for seed in range(SEEDS, SEEDS + args.patients):
                rows.append(of_patient(seed, size_px, assets, pipeline))
                print(line(f"patient {seed}, {size_px} px", rows[-1]), flush=True)
            middle = {key: float(np.nanmedian([row[key] for row in rows])) for key in rows[0]}
            print(line(f"median of {len(rows)}, {size_px} px", middle), flush=True)
    for clip in args.clips:
        print(line(clip.stem[:32], of_clip(clip, pipeline)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
