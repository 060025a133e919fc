"""`dmask bench`: how long each stage takes on this machine, on one video; `dmask bench compare`: two reports.

Without --threads the video goes through twice, each time in a process of its own: one stage after another on
one thread, then with the stages overlapping on two.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from dmask.errors import Error, WrongUse
from dmask.evaluate.bench_report import compare_lines, read_report, report_lines
from dmask.options import add_backend_arguments, core_options
from dmask.ranges import whole

FRAMES, WARMUP_FRAMES = 1600, 30
OVERLAPPED_THREADS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--video", metavar="V", help="default: the synthetic patient of `dmask demo --view VIEW`"
    )
    add_backend_arguments(parser)
    parser.set_defaults(threads=None)
    parser.epilog = (
        f"Without --threads: with 1 thread and then, stages overlapping, with {OVERLAPPED_THREADS}."
    )
    parser.add_argument(
        "--frames",
        type=whole(1),
        default=FRAMES,
        metavar="N",
        help=f"the video is played over and over to as many (default {FRAMES})",
    )
    parser.add_argument(
        "--warmup",
        type=whole(0),
        default=WARMUP_FRAMES,
        metavar="N",
        help=f"frames that do not count (default {WARMUP_FRAMES}), behind the calibration's in a long run",
    )
    parser.add_argument(
        "--linear", action="store_true", help="also time half as many frames: a ratio of 2 is linear"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare every stage of --backend with the CPU path in f32, and print both timings",
    )
    parser.add_argument("--json", metavar="F", help="write the numbers here too")
    actions = parser.add_subparsers(dest="action", metavar="compare")
    comparing = actions.add_parser("compare", help="ratios of two reports, stage by stage")
    comparing.add_argument("a", metavar="A.json")
    comparing.add_argument("b", metavar="B.json")


def run(args: argparse.Namespace) -> int:
    if args.action == "compare":
        print("\n".join(compare_lines(read_report(args.a), read_report(args.b))))
        return 0
    from dmask.evaluate.benchmark import measure
    from dmask.io.report import write_report
    from dmask.io.source import find_input
    from dmask.synthetic.demo import write_patient
    from dmask.synthetic.slit_lamp import write_slit_lamp_patient

    modes: tuple[int, ...] = (args.threads,)
    if args.threads is None:
        modes = (1,) if args.check else (1, OVERLAPPED_THREADS)
    args.threads = modes[0]
    options = core_options(args)
    if not 0 <= args.warmup < args.frames:
        raise WrongUse(f"got --warmup {args.warmup} and --frames {args.frames}, expected fewer to warm up")
    with tempfile.TemporaryDirectory(prefix="dmask-bench-") as folder:
        video = find_input(args.video) if args.video else Path(folder) / "patient.mp4"
        if not args.video:
            (write_slit_lamp_patient if args.view in ("eye", "eyes") else write_patient)(video)
        if args.check:
            report = check(video, options)
        elif len(modes) == 1:
            report = measure(video, Path(folder), options, args.frames, args.warmup, args.linear)
        else:
            first, second = (in_its_own_process(video, Path(folder), threads, args) for threads in modes)
            report = first | {"overlapped": second}
    if not args.check:
        print("\n".join(report_lines(report)))
    if args.json:
        write_report(args.json, report)
    return int(args.check and not report["equal"])


def in_its_own_process(video: Path, folder: Path, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """The report of one mode, whose cold start and peak memory are nobody else's. Raises Error."""
    path = folder / f"{threads}.json"
    command = [sys.executable, "-m", "dmask", "bench", "--video", str(video), "--json", str(path)]
    for name in ("backend", "weights", "precision", "models", "person", "view", "eye", "frames", "warmup"):
        if getattr(args, name) is not None:
            command += [f"--{name}", str(getattr(args, name))]
    command += ["--threads", str(threads), *(["--linear"] if args.linear and threads == 1 else [])]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="surrogateescape")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise Error(said.removeprefix("dmask: "))
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def check(video: Path, options: dict[str, Any]) -> dict[str, Any]:
    """How far the backend's results are from the CPU's in f32, and the timings of both. Raises Error."""
    from dmask import environment
    from dmask.evaluate.backends import compare, print_comparison

    report = compare(video, options | {"backend": "cpu", "precision": "f32"}, options)
    report |= {"hardware": environment.hardware(), "versions": environment.versions(), "options": options}
    print(f"{report['hardware']['cpu']}, {options['threads']} thread(s)")
    print_comparison(report, ("cpu", options["backend"]))
    return report
