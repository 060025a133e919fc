"""Time and instructions of the core's parts one by one.

python bench/micro.py BUILD/bench/dmask_micro --models DIR [--no-instructions] [--json F]

Times: google-benchmark, the median of three repetitions, one thread. Instructions a call: callgrind's, which
do not depend on how busy the machine is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

REPETITIONS, COUNTED_CALLS = 3, 4


def times_us(program: list[str]) -> dict[str, float]:
    """Median microseconds of CPU time a call, by part."""
    arguments = [f"--benchmark_repetitions={REPETITIONS}", "--benchmark_report_aggregates_only=true"]
    arguments += ["--benchmark_format=json", "--benchmark_min_time=0.05"]
    said = subprocess.run([*program, *arguments], capture_output=True, text=True, check=True).stdout
    rows = json.loads(said)["benchmarks"]
    return {row["run_name"]: round(row["cpu_time"], 2) for row in rows if row["aggregate_name"] == "median"}


def instructions(program: list[str], folder: Path) -> dict[str, int]:
    """Instructions a call, by part; nothing where callgrind is missing."""
    if not shutil.which("valgrind"):
        return {}
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
    subprocess.run([*command, *program, "--count", str(COUNTED_CALLS)], capture_output=True, check=True)
    found = {}
    for dump in folder.glob("out.*"):
        text = dump.read_text()
        name, total = (
            re.search(r"Client Request: (\S+)", text),
            re.search(r"^totals: (\d+)", text, re.M),
        )
        if name and total:
            found[name[1]] = round(int(total[1]) / COUNTED_CALLS)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=Path, metavar="dmask_micro")
    parser.add_argument("--models", type=Path, required=True, metavar="DIR")
    parser.add_argument("--no-instructions", action="store_true", help="times only")
    parser.add_argument("--json", type=Path, metavar="F")
    args = parser.parse_args()

    from dmask.environment import hardware
    from dmask.evaluate.benchmark import commit, processor_clock
    from dmask.io.report import write_report

    load_1min = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="dmask-micro-") as folder:
        recorded = ["--recorded", f"{folder}/landmarks"]
        program = [str(args.program.resolve()), "--models", str(args.models.resolve()), *recorded]
        us = times_us(program)
        counts = {} if args.no_instructions else instructions(program, Path(folder))
    report = {
        "hardware": hardware() | processor_clock(),
        "load_1min": load_1min,
        "commit": commit(),
        "parts": {name: {"cpu_us": us[name], "instructions": counts.get(name)} for name in us},
    }
    print(f"{report['hardware']['cpu']}, one thread, load {load_1min} before")
    print(f"{'part':28}{'us a call':>12}{'instructions':>16}")
    for name, row in report["parts"].items():
        count = f"{row['instructions']:,}" if row["instructions"] else "not counted"
        print(f"{name:28}{row['cpu_us']:12.1f}{count:>16}")
    if args.json:
        write_report(args.json, report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
