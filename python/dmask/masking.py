"""From one input to its results: decode, detect, calibrate, fit and render, encode.

The first CALIBRATION_SCAN_FRAMES frames are looked at (only their landmarks are kept), the patient's
statics are fitted on the good ones among them, and then all frames get their result, in order. With two
threads or more the stages overlap, each a few frames ahead of the next; with one they take turns.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dmask import environment
from dmask.ahead import ahead
from dmask.errors import Error
from dmask.io import container
from dmask.io.picture import PictureReader, PictureWriter
from dmask.io.tables import FRAME_COLUMNS, Table, frame_row, read_frames
from dmask.io.video import Frame, VideoReader, VideoWriter
from dmask.measure.summary import summarise
from dmask.progress import Progress
from dmask.stages import DETECT, FIT, Stages

if TYPE_CHECKING:
    from dmask._core import Calibration, FrameDetection, FrameResult, Pipeline

CALIBRATION_SCAN_FRAMES = 900
FRAMES_AHEAD = 3  # of a stage, where stages overlap


class Detected(NamedTuple):
    detection: FrameDetection
    detect_ms: float


class Masked(NamedTuple):
    result: FrameResult
    mask: np.ndarray  # (H, W, 3) uint8 BGR


@dataclass
class Outcome:
    """What came out of one input."""

    frames: int = 0
    frames_with_face: int = 0
    frames_looked_at: int = 0  # the scan for the calibration runs ahead of the results
    calibration: dict[str, Any] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)


def mask_source(
    source: VideoReader | PictureReader,
    folder: Path,
    pipeline: Pipeline,
    options: dict[str, Any],
    progress: Progress,
) -> Outcome:
    """Write mask.mp4 or mask.png, frames.csv, track.dmask, summary.json and run.json into `folder`.

    `options` are the fields of the core's Options that the pipeline was made with. Raises Error.
    """
    outcome = Outcome()
    stages = outcome.stages
    is_picture = isinstance(source, PictureReader)
    writer = (
        PictureWriter(folder / "mask.png")
        if is_picture
        else VideoWriter(folder / "mask.mp4", source.width, source.height, source.time_base, source.rate)
    )
    table = Table(folder / "frames.csv", FRAME_COLUMNS)
    rows = bytearray()  # of the track, float32: half a kilobyte a frame
    times_s: list[float] = []
    depth = FRAMES_AHEAD if options["threads"] > 1 else 0

    def show() -> None:
        progress.show(0.5 * (outcome.frames_looked_at + outcome.frames), source.frame_count)

    try:
        frames = ahead(decoded(source, stages), depth)
        looks = ahead(detected(frames, pipeline, outcome, show), depth)
        known = calibrated(looks, pipeline, options, outcome)
        with closing(ahead(masked(known, pipeline, stages), depth)) as masks:
            for result, mask in masks:
                with stages.clock("encode"):
                    writer.write(mask, result.time_s)
                table.write(frame_row(outcome.frames, result, options["profile"]))
                rows.extend(np.ascontiguousarray(result.track_row, np.float32).tobytes())
                times_s.append(result.time_s)
                outcome.frames += 1
                outcome.frames_with_face += int(result.face_valid)
                show()
    finally:
        writer.close()
        table.close()
    check_fixation(times_s, options)

    write_track(folder / "track.dmask", source, pipeline.track_statics(), times_s, bytes(rows))
    columns = read_frames(folder / "frames.csv")
    summary = summarise(columns, options) | {"profile": options["profile"]}
    if outcome.calibration["reason"]:
        summary["statements"].append(f"Calibration: {outcome.calibration['reason']}.")
    write_json(folder / "summary.json", summary)
    write_json(
        folder / "run.json",
        {
            "versions": environment.versions(),
            "models_sha256": environment.model_sha256(options["weights"], environment.models_folder(options)),
            "options": {name: value for name, value in options.items() if name != "models_dir"},
            "hardware": environment.hardware(),
            "input": {
                "kind": "picture" if is_picture else "video",
                "width": source.width,
                "height": source.height,
                "frames": outcome.frames,
                "frames_with_face": outcome.frames_with_face,
                "notes": source.notes,
            },
            "mask": {"padded_columns": writer.padded[0], "padded_rows": writer.padded[1]},
            "calibration": outcome.calibration,
            "stages": stages.summary(),
        },
    )
    return outcome


def decoded(source: VideoReader | PictureReader, stages: Stages) -> Iterator[Frame]:
    frames = iter(source)
    while True:
        with stages.clock("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def detected(
    frames: Iterator[Frame], pipeline: Pipeline, outcome: Outcome, show: Callable[[], None]
) -> Iterator[Detected]:
    for frame in frames:
        start = time.perf_counter()
        detection = pipeline.detect(frame.bgr, frame.time_s)
        detect_ms = 1e3 * (time.perf_counter() - start)
        outcome.stages.take(pipeline.detect_timings(), DETECT)
        outcome.frames_looked_at += 1
        show()
        yield Detected(detection, detect_ms)


def calibrated(
    looks: Iterator[Detected], pipeline: Pipeline, options: dict[str, Any], outcome: Outcome
) -> Iterator[Detected]:
    """The same looks, held back until the patient's statics are fitted; where that fails, the next scan
    tries."""
    scan: list[Detected] = []
    done = False
    for look in looks:
        if done:
            yield look
            continue
        scan.append(look)
        if len(scan) >= CALIBRATION_SCAN_FRAMES and past_fixation(look.detection.time_s, options):
            done = calibrate(scan, pipeline, outcome)
            yield from scan
            scan.clear()
    if scan:
        calibrate(scan, pipeline, outcome)
        yield from scan


def calibrate(scan: list[Detected], pipeline: Pipeline, outcome: Outcome) -> bool:
    calibration = pipeline.calibrate([look.detection for look in scan])
    outcome.calibration = describe(calibration)
    return bool(calibration.ok)


def masked(looks: Iterator[Detected], pipeline: Pipeline, stages: Stages) -> Iterator[Masked]:
    for look in looks:
        start = time.perf_counter()
        result = pipeline.fit(look.detection)
        mask = pipeline.render(result)
        # What one frame waits for, from its pixels to its mask: not the time between stages.
        stages.add("frame_to_mask", look.detect_ms + 1e3 * (time.perf_counter() - start))
        stages.take(pipeline.fit_timings(), FIT)
        yield Masked(result, mask)


def past_fixation(time_s: float, options: dict[str, Any]) -> bool:
    """The frames in which the user says that an eye fixates have to be part of the calibration."""
    return options["fixating"] == "none" or time_s > options["fixating_to_s"]


def check_fixation(times_s: list[float], options: dict[str, Any]) -> None:
    start_s, end_s = options["fixating_from_s"], options["fixating_to_s"]
    if options["fixating"] != "none" and not any(start_s <= time_s <= end_s for time_s in times_s):
        raise Error(
            f"--at {start_s:g}-{end_s:g} holds no frame; the recording runs from {times_s[0]:.2f} "
            f"to {times_s[-1]:.2f} s: give a time within it"
        )


def describe(calibration: Calibration) -> dict[str, Any]:
    return {"ok": bool(calibration.ok), "reason": calibration.reason, "frames": len(calibration.frames_used)}


def write_track(
    path: Path,
    source: VideoReader | PictureReader,
    statics: dict[str, np.ndarray],
    times_s: list[float],
    rows: bytes,
) -> None:
    """The container from which `dmask render` draws the same masks at the same times."""
    container.write(
        path,
        statics
        | {
            "rows": np.frombuffer(rows, np.float32).reshape(len(times_s), -1),
            "time_s": np.array(times_s, np.float64),
            "time_base": np.array([source.time_base.numerator, source.time_base.denominator], np.int64),
            "rate": np.array([source.rate.numerator, source.rate.denominator], np.int64),
            "size": np.array([source.width, source.height], np.int32),
        },
    )


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
