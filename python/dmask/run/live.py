"""From a live source to its results: the newest frame wins, and the patient is calibrated on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.errors import Error, system_sentence
from dmask.io.live import Newest
from dmask.io.video import without_opencv_threads
from dmask.measure.files import MADE_OF_RESULTS
from dmask.run.measuring import measure_results
from dmask.run.progress import Progress
from dmask.run.recording import describe, sums_moments
from dmask.run.results import RESULT_FILES, Outcome, Recording, Results
from dmask.run.stages import DETECT, FIT
from dmask.stopwatch import stopwatch

if TYPE_CHECKING:
    from dmask._core import Pipeline

TIME_BASE = Fraction(1, 90000)
NOMINAL_RATE = Fraction(30)


@without_opencv_threads()
def mask_live(
    newest: Newest,
    folder: Path,
    pipeline: Pipeline,
    options: dict[str, Any],
    notes: list[str],
    progress: Progress,
    legend: bool = False,
    diagnostics: Path | None = None,
    measures: bool = False,
) -> tuple[Outcome, dict[str, float]]:
    """Write the files of `mask_source` into `folder` while frames come in, until they end or Ctrl-C.

    The folder is made, and its earlier results go, when the first frame is there. frames.csv and mask.mp4 can
    be read as they grow, since a live source does not come twice: killed, this leaves both.

    Frames that came while another was worked on, and were not the newest after it, get a row with the reason
    `dropped` and no mask. Also returns the latency from a frame's arrival to its mask, in ms. The track holds
    the last calibration, with which `dmask render` draws the first frames too. Raises Error.
    """
    outcome = Outcome()
    results: Results | None = None
    latencies_ms: list[float] = []
    with ExitStack() as stack:
        try:
            with closing(newest):
                for (time_s, bgr), arrived_s, dropped_s in newest:
                    if results is None:
                        height, width = bgr.shape[:2]
                        recording = Recording("live", width, height, TIME_BASE, NOMINAL_RATE, notes)
                        stack.enter_context(saying_what_is_kept(folder))
                        make_room(folder)
                        if diagnostics:
                            diagnostics.mkdir(parents=True, exist_ok=True)
                        results = Results(
                            folder, recording, options, outcome, legend, diagnostics, sums_moments(pipeline)
                        )
                    for missed_s in dropped_s:
                        results.add_dropped(missed_s)
                    elapsed_ms = stopwatch()
                    result = pipeline.process(bgr, time_s)
                    outcome.stages.add("frame_to_mask", elapsed_ms())
                    latencies_ms.append(1e3 * (time.monotonic() - arrived_s))
                    outcome.stages.take(pipeline.detect_timings(), DETECT)
                    outcome.stages.take(pipeline.fit_timings(), FIT)
                    assert result.mask is not None  # process() makes one of every frame
                    moment = pipeline.unreleased_moment() if sums_moments(pipeline) else None
                    unreleased = pipeline.unreleased_diagnostics() if diagnostics else None
                    results.add(result, result.mask, unreleased, None, moment)
                    progress.show(outcome.frames, None)
        except KeyboardInterrupt:  # the way to end it
            pass
        finally:
            if results is not None:
                results.close()
        if results is None:
            raise Error("no frame came from the live source; expected at least one: check that it is running")
        if not outcome.frames:
            make_room(folder)  # a header and an empty mask tell nothing
            raise Error(
                "the live source was stopped during its first frame; expected at least one: nothing is kept"
            )
        outcome.calibration = describe(pipeline.calibration)
        p50, p95, p99 = np.percentile(latencies_ms, (50, 95, 99)).tolist()
        latency_ms = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max(latencies_ms)}
        rounded = {name: round(value, 2) for name, value in latency_ms.items()}
        results.finish(pipeline, {"frames_dropped": outcome.frames_dropped, "arrival_to_mask": rounded})
        if measures:
            measure_results(folder)
    return outcome, latency_ms


@contextmanager
def saying_what_is_kept(folder: Path) -> Iterator[None]:
    """A live source does not come twice: what fails midway leaves its rows and its mask, and says so."""
    kept = f"the rows and the mask up to there are kept in {folder}, without a run.json"
    try:
        yield
    except BrokenPipeError:  # of whoever reads what is printed
        raise
    except OSError as error:
        raise Error(system_sentence(error, kept)) from error
    except Error as error:
        raise type(error)(f"{error}; {kept}") from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept) from None


def make_room(folder: Path) -> None:
    """A folder without the results of an earlier run: rows of two runs never stand beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*RESULT_FILES, *MADE_OF_RESULTS):
        (folder / name).unlink(missing_ok=True)
