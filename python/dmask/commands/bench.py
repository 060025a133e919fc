"""`dmask bench`: how long each stage takes on this machine, on one video."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from dmask.commands.options import add_backend_arguments, core_options, make_pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--video", metavar="V", help="default: the synthetic patient of `dmask demo`")
    add_backend_arguments(parser)
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare every stage of --backend with the CPU path in f32, and print both timings",
    )
    parser.add_argument("--json", metavar="F", help="write the numbers here too")


def run(args: argparse.Namespace) -> int:
    from dmask.demo import write_patient
    from dmask.io.source import find_input

    options = core_options(args)
    with tempfile.TemporaryDirectory(prefix="dmask-bench-") as folder:
        video = find_input(args.video) if args.video else Path(folder) / "patient.mp4"
        if not args.video:
            write_patient(video)
        report = check(video, options) if args.check else measure(video, Path(folder) / "out", options)
    if not args.check:
        print_report(report)
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(args.check and not report["equal"])


def measure(video: Path, folder: Path, options: dict) -> dict:
    """The numbers of one pass over `video`. Cold start: from nothing loaded to the first frame's mask."""
    import resource

    from dmask import environment
    from dmask.commands.run import run_item
    from dmask.io.source import open_source

    source = open_source(video, options["threads"])
    first = next(iter(source))
    start = time.perf_counter()
    pipeline = make_pipeline(options)
    detection = pipeline.detect(first.bgr, first.time_s)
    pipeline.calibrate([detection])
    pipeline.render(pipeline.fit(detection))
    cold_start_ms = 1e3 * (time.perf_counter() - start)
    source.close()
    pipeline.reset()

    start = time.perf_counter()
    outcome = run_item(video, folder, pipeline, options, overwrite=False, show=False)
    elapsed_s = time.perf_counter() - start
    return {
        "stages": outcome.stages.summary(),
        "throughput_fps": round(outcome.frames / elapsed_s, 2),
        "cold_start_ms": round(cold_start_ms, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "frames": outcome.frames,
        "frames_with_face": outcome.frames_with_face,
        "width": source.width,
        "height": source.height,
        "hardware": environment.hardware(),
        "threads": options["threads"],
        "backend": options["backend"],
        "precision": options["precision"],
        "versions": environment.versions(),
    }


def check(video: Path, options: dict) -> dict:
    """How far the backend's results are from the CPU's in f32, and the timings of both. Raises Error."""
    from dmask import environment
    from dmask.evaluate.backends import compare, print_comparison

    report = compare(video, options | {"backend": "cpu", "precision": "f32"}, options)
    report |= {"hardware": environment.hardware(), "versions": environment.versions(), "options": options}
    print(f"{report['hardware']['cpu']}, {options['threads']} thread(s)")
    print_comparison(report, ("cpu", options["backend"]))
    return report


def print_report(report: dict) -> None:
    size = f"{report['width']}x{report['height']}"
    print(f"{report['hardware']['cpu']}, {report['threads']} thread(s), {report['frames']} frames of {size}")
    print(f"{'stage':<16}{'p50_ms':>9}{'p95_ms':>9}{'p99_ms':>9}{'max_ms':>9}")
    for name, stage in report["stages"].items():
        print(
            f"{name:<16}" + "".join(f"{stage[key]:>9.2f}" for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))
        )
    print(
        f"throughput {report['throughput_fps']} frames/s, cold start {report['cold_start_ms']:.0f} ms, "
        f"peak memory {report['peak_rss_mb']:.0f} MB"
    )
