"""Kills `dmask run` at many moments and looks at what is left; then the same without room on the disk.

    python bench/kill_run.py [--kills 20] [--signal KILL|TERM|INT]

A half of the moments is spread over the whole run, the rest over the milliseconds in which the finished
results take their place. Exits with 1 where results look whole and are not, or earlier ones were harmed.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from test_interrupted import command, contents, state_of, stopped  # noqa: E402

NEW, EARLIER = "clinical", "strict"  # told apart by their profiles


def make_video(path: Path, frames: int) -> None:
    from dmask.io.video import VideoWriter
    from dmask.synthetic import Pose, SyntheticPatient

    patient = SyntheticPatient(seed=3, size=(240, 240))
    writer = VideoWriter(path, 240, 240, Fraction(1, 30), Fraction(30))
    for n in range(frames):
        writer.write(patient.render(Pose(od_yaw_deg=0.5 * n, os_yaw_deg=0.5 * n))[0], n / 30)
    writer.close()


def run_once(arguments: list[str], limit_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    return subprocess.run(arguments, preexec_fn=limit, capture_output=True, text=True)


def moments(kills: int, lasts_s: float, home: Path) -> list[tuple[Callable[[], bool], float]]:
    """(condition, delay) pairs: see the module."""
    spread = [(lambda: True, lasts_s * k / (kills // 2)) for k in range(kills // 2)]
    done = [(lambda: any(home.glob("*.partial-*/run.json")), 0.0004 * k) for k in range(kills - len(spread))]
    return spread + done


def kill_runs(
    source: Path, earlier: Path | None, more: tuple[str, ...], kills: int, number: int
) -> tuple[Counter, list[str]]:
    """How often each state was left, and what was wrong."""
    states: Counter = Counter()
    wrong: list[str] = []
    folder = source.is_dir()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        out = home / "out"
        arguments = command(source, out, *more, *(["--overwrite"] if earlier or folder else []))
        start = time.monotonic()
        run_once(arguments)
        lasts_s = time.monotonic() - start
        for when, delay_s in moments(kills, lasts_s, out if folder else home):
            shutil.rmtree(out, ignore_errors=True)
            if earlier:
                shutil.copytree(earlier, out)
            before = contents(out) if earlier and not folder else None
            stopped(arguments, number, when, delay_s)
            items = sorted(path for path in out.glob("*") if path.is_dir()) if folder else [out]
            try:
                left = [state_of(item) for item in items if ".partial-" not in item.name]
            except (AssertionError, ValueError, OSError) as problem:
                wrong.append(f"after {delay_s:.4f} s: {type(problem).__name__} {problem}")
                continue
            states.update(left or ["absent"])
            if before and left == [EARLIER] and contents(out) != before:
                wrong.append(f"after {delay_s:.4f} s: the earlier results are not as they were")
            if number != signal.SIGKILL and list(home.rglob("*.partial-*")):
                wrong.append(f"after {delay_s:.4f} s: unfinished files were left")
            if folder and (out / "batch.csv").exists() and set(left) == {NEW, EARLIER}:
                wrong.append(f"after {delay_s:.4f} s: batch.csv speaks of results that are not there")
        last = run_once([*arguments, "--overwrite"])
        if last.returncode != 0 or list(home.rglob("*.partial-*")):
            wrong.append(f"the run after them: exit code {last.returncode}, {last.stderr.strip()}")
    return states, wrong


def without_room(source: Path, earlier: Path, limits: list[int]) -> list[str]:
    """What was wrong with runs whose files could not grow beyond each of `limits` bytes."""
    wrong = []
    for limit_bytes in limits:
        with tempfile.TemporaryDirectory() as name:
            out = Path(name) / "out"
            shutil.copytree(earlier, out)
            before = contents(out)
            done = run_once(command(source, out, "--overwrite"), limit_bytes)
            whole = done.returncode == 0 and state_of(out) == NEW
            refused = done.returncode == 1 and done.stderr.count("\n") == 1 and contents(out) == before
            if not (whole or refused) or [path.name for path in Path(name).iterdir()] != ["out"]:
                wrong.append(f"{limit_bytes} bytes: exit code {done.returncode}, {done.stderr.strip()}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="moments of each kind of run (default 20)")
    parser.add_argument("--signal", choices=("KILL", "TERM", "INT"), default="KILL")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--room", type=int, default=12, help="file sizes at which there is no more room")
    args = parser.parse_args()
    number = getattr(signal, f"SIG{args.signal}")
    bad = False
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        video, batch = home / "in.mp4", home / "in"
        earlier, earlier_batch = home / "earlier", home / "earlier_batch"
        make_video(video, args.frames)
        batch.mkdir()
        for item in ("first", "second"):
            shutil.copy(video, batch / f"{item}.mp4")
        for source, out in ((video, earlier), (batch, earlier_batch)):
            assert run_once(command(source, out, "--profile", EARLIER)).returncode == 0
        kinds = {
            "a new result": (video, None, ()),
            "replacing a result": (video, earlier, ()),
            "two threads, replacing": (video, earlier, ("--threads", "2")),
            "a folder, replacing": (batch, earlier_batch, ()),
        }
        for kind, (source, before, more) in kinds.items():
            states, wrong = kill_runs(source, before, more, args.kills, number)
            print(f"{kind}: {args.kills} x SIG{args.signal}: {dict(states)}", *wrong, sep="\n  ", flush=True)
            bad = bad or bool(wrong)
        largest = max(path.stat().st_size for path in earlier.iterdir())
        limits = [int(1.2 * largest * k / args.room) for k in range(args.room)]
        wrong = without_room(video, earlier, limits)
        runs = f"{len(limits)} runs without room for more than {limits[0]} to {limits[-1]} bytes a file"
        print(runs, *wrong, sep="\n  ")
    return int(bad or bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
