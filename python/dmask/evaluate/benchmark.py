"""The times of one pass through the whole of the work, in the steady state and up to the first mask.

The steady state is that of the frames behind the warm-up. A long recording's begins behind the calibration's
scan, which holds frames back.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmask.options import make_pipeline
from dmask.stopwatch import stopwatch

if TYPE_CHECKING:
    from dmask.io.video import Frame

RATES_FPS = (30, 60, 120)
# The article's times are from hardware that its authors name in one line; it gives none of another stage.
ARTICLE = {"hardware": "Intel i7 and GTX 1080", "fit_face": 7.0, "fit_eyelid": 14.0, "fit_eyeball": 4.0}


def measure(
    video: Path, folder: Path, options: dict[str, Any], frames: int, warmup: int, linear: bool
) -> dict[str, Any]:
    """The numbers of `frames` frames of `video`, played over and over. Raises Error.

    Cold start: from no pipeline, no net loaded, to the mask of the first frame.
    """
    from dmask import environment
    from dmask.io.source import open_source
    from dmask.run.recording import CALIBRATION_SCAN_FRAMES, PREFETCHED_FRAMES

    load_1min = round(os.getloadavg()[0], 2)
    source = open_source(video, options["threads"])
    first = next(iter(source))
    elapsed_ms = stopwatch()
    pipeline = make_pipeline(options)
    detection = pipeline.detect(first.bgr, first.time_s)
    pipeline.calibrate([detection])
    pipeline.render(pipeline.fit(detection))
    cold_start_ms = elapsed_ms()
    source.close()

    played_s, outcome = play(video, folder, pipeline, options, frames)
    # When the scan is over, two stages lead the fits by a few frames each.
    behind_scan = CALIBRATION_SCAN_FRAMES + 3 * PREFETCHED_FRAMES + warmup
    long_enough = outcome.frames > behind_scan + 1
    steady = behind_scan if long_enough else min(warmup, outcome.frames - 1)
    stages = outcome.stages.summary(steady)
    sustained_fps = outcome.stages.frames_per_s(steady) if long_enough else None
    report = {
        "stages": stages,
        "frame_to_mask_p99_over_p50": round(
            stages["frame_to_mask"]["p99_ms"] / stages["frame_to_mask"]["p50_ms"], 3
        ),
        "decode_to_encode": outcome.stages.decode_to_encode(steady) if long_enough else None,
        "throughput_fps": round(outcome.frames / played_s, 2),
        "sustained_fps": sustained_fps and round(sustained_fps, 2),
        "realtime_factor": {
            str(rate): round((sustained_fps or outcome.frames / played_s) / rate, 3) for rate in RATES_FPS
        },
        "cold_start_ms": round(cold_start_ms, 1),
        "peak_rss_mb": peak_rss_mb(),
        "frames": outcome.frames,
        "frames_with_face": outcome.frames_with_face,
        "steady_from_frame": steady,
        "width": source.width,
        "height": source.height,
        "hardware": environment.hardware() | processor_clock(),
        "load_1min": load_1min,
        "threads": options["threads"],
        "backend": pipeline.backend,
        "backend_reason": re.sub(r"(?<!\w)/\S*/", "", pipeline.backend_reason),  # names of files, no paths
        "precision": precision_used(options["precision"], pipeline.backend),
        "versions": environment.versions(),
        "commit": commit(),
        "article": ARTICLE,
    }
    if linear:
        half_s, _ = play(video, folder, pipeline, options, frames // 2)
        report["linear"] = {
            "frames": [frames // 2, frames],
            "seconds": [round(half_s, 3), round(played_s, 3)],
            "ratio": round(played_s / half_s, 3),
        }
    return report


class Played:
    """A video played over and over until it has given `frame_count` frames, its times running on."""

    def __init__(self, path: Path, threads: int, frame_count: int):
        self._path, self._threads = path, threads
        self.frame_count: int | None = frame_count
        self.broken_off: str | None = None
        self.hfov_deg: float | None = None
        self._open()
        source = self._source
        self.width, self.height, self.notes = source.width, source.height, source.notes
        self.time_base, self.rate = source.time_base, source.rate

    def _open(self) -> None:
        from dmask.io.source import open_source

        self._source = open_source(self._path, self._threads)

    def __iter__(self) -> Iterator[Frame]:
        given, offset_s, time_s = 0, 0.0, 0.0
        while True:
            for frame in self._source:
                time_s = offset_s + frame.time_s
                yield frame._replace(time_s=time_s)
                given += 1
                if given == self.frame_count:
                    return
            self._source.close()
            ticks = round((time_s + 1 / float(self.rate)) / float(self.time_base))
            offset_s = float(ticks * self.time_base)
            self._open()

    def close(self) -> None:
        self._source.close()


def play(video: Path, folder: Path, pipeline: Any, options: dict[str, Any], frames: int) -> tuple[float, Any]:
    """Seconds and Outcome of `frames` frames, from opening the video to the last file written."""
    from dmask.run.progress import Progress
    from dmask.run.recording import mask_source

    pipeline.reset()
    with tempfile.TemporaryDirectory(dir=folder) as results:
        elapsed_ms = stopwatch()
        source = Played(video, options["threads"], frames)
        try:
            outcome = mask_source(source, Path(results), pipeline, options, Progress(False, ""))
        finally:
            source.close()
        return 1e-3 * elapsed_ms(), outcome


def processor_clock() -> dict[str, Any]:
    """Governor and frequency of the first processor; None where the system does not say."""
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    mhz = [float(line.split(":")[1]) for line in lines if line.startswith("cpu MHz")]
    return {
        "governor": governor.read_text().strip() if governor.exists() else None,
        "frequency_mhz": round(mhz[0]) if mhz else None,
    }


def peak_rss_mb() -> float:
    """The peak of this process alone: getrusage() would count the parent's before exec, too."""
    import resource

    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peaks_kb = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return round((peaks_kb or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0] / 1024, 1)


def precision_used(asked: str, backend: str) -> str:
    """What `auto` came to be: OpenVINO's own choice on this CPU, or that of the engines."""
    if asked != "auto":
        return asked
    if backend != "cpu":
        return "as the engines were built"
    import openvino

    short = {"bfloat16": "bf16", "float32": "f32", "float16": "f16"}
    named = str(openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string())
    return short.get(named, named)


def commit() -> str | None:
    """The commit of the checkout that this file is part of, `+` where it was changed; None outside of one."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(Path(__file__).parent), *words], capture_output=True, text=True
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    head, changes = git("rev-parse", "--short=10", "HEAD"), git("status", "--porcelain", "-uno")
    return head and head + ("+" if changes else "")
