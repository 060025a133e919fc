"""From one recording to its results: decode, detect, calibrate, fit and render, encode.

The first CALIBRATION_SCAN_FRAMES frames are looked at (only their landmarks are kept), the patient's
statics are fitted on the good ones among them, and then all frames get their result, in order. With two
threads or more the stages overlap, each a few frames ahead of the next; with one they take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dmask.io.atomic import atomic_folder
from dmask.io.picture import PictureReader
from dmask.io.source import Source, open_source
from dmask.io.video import Frame, without_opencv_threads
from dmask.measure.files import MADE_OF_RESULTS
from dmask.options import table
from dmask.run.measuring import measure_results
from dmask.run.prefetch import prefetched
from dmask.run.progress import Progress
from dmask.run.results import Outcome, Recording, Results
from dmask.run.stages import DETECT, FIT, Stages
from dmask.stopwatch import stopwatch

if TYPE_CHECKING:
    from dmask._core import Calibration, FrameDetection, FrameResult, Pipeline

CALIBRATION_SCAN_FRAMES = 900
PREFETCHED_FRAMES = 2  # a stage's lead over the next: more would wait longer and be no faster


class Detected(NamedTuple):
    detection: FrameDetection
    detect_ms: float


class Masked(NamedTuple):
    result: FrameResult
    mask: np.ndarray  # (H, W, 3) uint8 BGR
    unreleased: dict[str, float] | None  # Pipeline.unreleased_diagnostics() where they are asked for
    detection: FrameDetection
    moment: dict[str, Any] | None  # Pipeline.unreleased_moment() where it holds what leaves


def run_item(
    path: Path,
    folder: Path,
    pipeline: Pipeline,
    options: dict[str, Any],
    overwrite: bool,
    show: bool,
    label: str = "",
    partial: bool = False,
    made_from: dict[str, str] | None = None,
    legend: bool = False,
    diagnostics: Path | None = None,
    measures: bool = False,
    by_focal_length: bool = True,
) -> Outcome:
    """The results of one video or picture in `folder`, whole or not at all. Raises Error.

    It is another patient than before: the pipeline is reset.
    With `partial` a video that breaks off is taken up to there. `made_from` goes into run.json. With `legend`
    the mask says what it is. What identifies goes into the folder `diagnostics`, where one is given. With
    `measures` the clinical measures lie beside the results. With `by_focal_length` a photograph whose file
    tells one goes by that instead of the field of view in `options`.
    """
    source = open_source(path, options["threads"], partial)
    if by_focal_length:
        options = options | {"hfov_deg": hfov_deg(source, options["hfov_deg"])}
    pipeline.reset(hfov_deg=options["hfov_deg"])
    progress = Progress(show, label)
    try:
        # A mask of the other kind is from an earlier run on another kind of input; so are measures.
        with ExitStack() as stack:
            obsolete = ("mask.mp4", "mask.png", *MADE_OF_RESULTS)
            half = stack.enter_context(atomic_folder(folder, overwrite, obsolete))
            beside = stack.enter_context(atomic_folder(diagnostics, overwrite)) if diagnostics else None
            outcome = mask_source(source, half, pipeline, options, progress, made_from, legend, beside)
            if measures:
                measure_results(half)
            return outcome
    finally:
        progress.clear()
        source.close()


def hfov_deg(source: Source, usual_deg: float) -> float:
    """The camera's field of view: the file's own, where it tells one that can be."""
    low_deg, high_deg = table()["hfov_deg"]["range"]
    if source.hfov_deg is None or not low_deg <= source.hfov_deg <= high_deg:
        return usual_deg
    source.notes.append(
        f"the field of view, {source.hfov_deg:g} degrees, is that of the focal length in the file: of a "
        "picture that was cropped it is another, give --hfov-deg"
    )
    return source.hfov_deg


@without_opencv_threads()
def mask_source(
    source: Source,
    folder: Path,
    pipeline: Pipeline,
    options: dict[str, Any],
    progress: Progress,
    made_from: dict[str, str] | None = None,
    legend: bool = False,
    diagnostics: Path | None = None,
) -> Outcome:
    """Write mask.mp4 or mask.png, frames.csv, track.dmask, summary.json and run.json into `folder`.

    `options` are the fields of the core's Options that the pipeline was made with. Raises Error.
    """
    outcome = Outcome(made_from=made_from)
    stages = outcome.stages
    kind = "picture" if isinstance(source, PictureReader) else "video"
    recording = Recording(kind, source.width, source.height, source.time_base, source.rate, source.notes)
    results = Results(folder, recording, options, outcome, legend, diagnostics, sums_moments(pipeline))
    depth = PREFETCHED_FRAMES if options["threads"] > 1 else 0

    def show() -> None:
        progress.show(0.5 * (outcome.frames_looked_at + outcome.frames), source.frame_count)

    try:
        frames = prefetched(decoded(source, stages), depth)
        found = prefetched(detected(frames, pipeline, outcome, show), depth)
        known = calibrated(found, pipeline, options, outcome)
        with closing(prefetched(masked(known, pipeline, stages, diagnostics is not None), depth)) as masks:
            for one in masks:
                results.add(*one)
                show()
    finally:
        results.close()
    outcome.broken_off = source.broken_off
    results.finish(pipeline)
    return outcome


def decoded(source: Source, stages: Stages) -> Iterator[Frame]:
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
        elapsed_ms = stopwatch()
        detection = pipeline.detect(frame.bgr, frame.time_s)
        detect_ms = elapsed_ms()
        outcome.stages.take(pipeline.detect_timings(), DETECT)
        outcome.frames_looked_at += 1
        show()
        yield Detected(detection, detect_ms)


def calibrated(
    found: Iterator[Detected], pipeline: Pipeline, options: dict[str, Any], outcome: Outcome
) -> Iterator[Detected]:
    """The same detections, held back until a scan has calibrated the patient; a failed scan is followed by
    another one."""
    scan: list[Detected] = []
    done = False
    for one in found:
        if done:
            yield one
            continue
        scan.append(one)
        settled = past_fixation(one.detection.time_s, options) and not one.detection.choosing
        if len(scan) >= CALIBRATION_SCAN_FRAMES and settled:
            done = calibrate(scan, pipeline, outcome)
            yield from scan
            scan.clear()
    if scan:
        calibrate(scan, pipeline, outcome)
        yield from scan


def calibrate(scan: list[Detected], pipeline: Pipeline, outcome: Outcome) -> bool:
    calibration = pipeline.calibrate([one.detection for one in scan])
    outcome.calibration = describe(calibration)
    return bool(calibration.ok)


def masked(found: Iterator[Detected], pipeline: Pipeline, stages: Stages, diagnose: bool) -> Iterator[Masked]:
    for one in found:
        elapsed_ms = stopwatch()
        result = pipeline.fit(one.detection)
        unreleased = pipeline.unreleased_diagnostics() if diagnose else None
        moment = pipeline.unreleased_moment() if sums_moments(pipeline) else None
        mask = pipeline.render(result)
        # This is what one frame waits for, from its pixels to its mask, without the time between stages.
        stages.add("frame_to_mask", one.detect_ms + elapsed_ms())
        stages.take(pipeline.fit_timings(), FIT)
        yield Masked(result, mask, unreleased, one.detection, moment)


def sums_moments(pipeline: Pipeline) -> bool:
    """Whether there is more to sum up than what leaves: where that is held, and blinks may be told."""
    return pipeline.holds and pipeline.tells_blinks


def past_fixation(time_s: float, options: dict[str, Any]) -> bool:
    """The frames in which the user says that an eye fixates have to be part of the calibration."""
    return bool(options["fixating"] == "none" or time_s > options["fixating_to_s"])


def describe(calibration: Calibration) -> dict[str, Any]:
    return {"ok": bool(calibration.ok), "reason": calibration.reason, "frames": len(calibration.frames_used)}
