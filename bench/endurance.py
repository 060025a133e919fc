"""What a long run did to memory and latency.

python bench/endurance.py watch LOG COMMAND...  runs COMMAND; LOG gets `seconds rss_kb peak_kb` every 5 s
python bench/endurance.py summarise --json F [--frames ENDURANCE_OUTPUT] [--recording LOG FRAMES WIDTH HEIGHT]

ENDURANCE_OUTPUT is what the program `endurance` prints. The slope of a watched command is taken over the
second half of its run: by then everything is loaded.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

LOOK_S = 5.0
COLUMNS = ("frames", "rss_mb", "p50_ms", "p99_ms", "max_ms", "faces", "allocations", "allocations_in_net")


def watch(log: Path, command: list[str]) -> int:
    process, start = subprocess.Popen(command), time.monotonic()
    with log.open("w") as out:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            rss, peak = (re.search(rf"{name}:\s+(\d+)", status) for name in ("VmRSS", "VmHWM"))
            if rss and peak:
                print(round(time.monotonic() - start), rss[1], peak[1], file=out, flush=True)
            time.sleep(LOOK_S)
    return process.returncode


def frames_report(output: str) -> dict:
    """The blocks of `endurance` and what it says of all of them."""
    blocks = []
    for line in output.splitlines():
        cells = line.split()
        if len(cells) == len(COLUMNS) and cells[0].isdigit():
            blocks.append({name: float(cell) for name, cell in zip(COLUMNS, cells, strict=True)})
    size = re.search(r"(\d+) x (\d+), (\d+) frames to and fro, threads (\d+)", output)
    if not blocks or not size:
        raise SystemExit("the output of endurance holds no block of frames: give it more frames")
    steady = blocks[1:] or blocks  # the first block warms up
    frames, mb = (np.array([block[name] for block in steady]) for name in ("frames", "rss_mb"))
    slope = float(np.polyfit(frames, mb, 1)[0] * 1e6) if len(steady) > 1 else None
    return {
        "width": int(size[1]),
        "height": int(size[2]),
        "threads": int(size[4]),
        "frames": int(blocks[-1]["frames"]),
        "rss_slope_kb_per_1000_frames": slope and round(slope, 3),
        "blocks": blocks,
    }


def recording_report(log: str, frames: int, width: int, height: int) -> dict:
    rows = np.array([[float(cell) for cell in line.split()] for line in log.splitlines() if line.strip()])
    late = rows[rows[:, 0] >= rows[-1, 0] / 2]
    slope = float(np.polyfit(late[:, 0], late[:, 1], 1)[0]) * 60 / 1024 if len(late) > 1 else None
    return {
        "width": width,
        "height": height,
        "frames": frames,
        "minutes_of_30_fps": round(frames / 30 / 60, 1),
        "minutes_run": round(float(rows[-1, 0]) / 60, 1),
        "peak_rss_mb": round(float(rows[:, 2].max()) / 1024, 1),
        "rss_slope_mb_per_minute": slope and round(slope, 3),
    }


def main() -> int:
    if sys.argv[1:2] == ["watch"] and len(sys.argv) > 3:
        return watch(Path(sys.argv[2]), sys.argv[3:])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("summarise",))
    parser.add_argument("--frames", type=Path, metavar="ENDURANCE_OUTPUT")
    parser.add_argument("--recording", nargs=4, metavar=("LOG", "FRAMES", "WIDTH", "HEIGHT"))
    parser.add_argument("--note", default="", help="of the circumstances, for the results")
    parser.add_argument("--json", type=Path, required=True, metavar="F")
    args = parser.parse_args()

    from dmask.environment import hardware
    from dmask.evaluate.benchmark import processor_clock
    from dmask.io.report import write_report

    report = {"hardware": hardware() | processor_clock(), "note": args.note}
    if args.frames:
        report["frames"] = frames_report(args.frames.read_text())
    if args.recording:
        log, *numbers = args.recording
        report["recording"] = recording_report(Path(log).read_text(), *map(int, numbers))
    write_report(args.json, report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
