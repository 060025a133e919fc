"""Everything that only a machine with an NVIDIA GPU can show, in one run: tests, sanitizers, times.

    python bench/gpu_machine.py --out gpu.json                 # builds with nvcc, cmake and ninja; runs
    python bench/gpu_machine.py --pack FOLDER                  # builds and packs, for a machine without those
    python bench/gpu_machine.py --packed FOLDER --out gpu.json # there: needs a driver and Python

compute-sanitizer and ncu are used where they are on PATH. What the time budget does not allow is named.
It exits with 1 where a test fails or a sanitizer finds something.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOUBLE = "libtensorrt_double_card.so"
OPENVINO = (
    "libopenvino.so.*",
    "libopenvino_onnx_frontend.so.*",
    "libopenvino_intel_cpu_plugin.so",
    "libtbb.so.*",
)
SIDE_BY_SIDE = max(1, (os.cpu_count() or 1) // 2)  # programs that are not timed
PROFILED = {  # kernels are timed in these runs: after the first launches, over so many
    "512 x 512": (["gpu_times", "paint", "512", "512", "4"], 28, 140),
    "1920 x 1080": (["gpu_times", "paint", "1920", "1080", "4"], 28, 140),
    "fits of 128 frames": (["gpu_times", "fits", "128"], 0, 60),
    "looks of 20 frames": (["test_gpu_pipeline", "frames_become"], 40, 400),
}
SANITIZED = {  # the cases whose names contain the word, "" for all; what takes long begins first
    "racecheck": [
        *[("test_gpu_mask", word) for word in ("repeat", "twin")],
        *[("test_gpu_fit", word) for word in ("batch_agrees", "cpu")],
        *[("test_gpu_crops", word) for word in ("sharpness", "dark", "thumbnails", "recorded")],
        *[("test_gpu_" + name, "") for name in ("heatmaps", "lines")],
    ],
    "memcheck": [
        *[
            ("test_gpu_" + name, "")
            for name in ("crops", "heatmaps", "lines", "runtime", "tensorrt", "vision")
        ],
        *[("test_gpu_mask", word) for word in ("twin", "repeat", "in_any_order")],
        *[("test_gpu_fit", word) for word in ("cpu", "batch_agrees", "no_number")],
    ],
    "synccheck": [
        *[("test_gpu_" + name, "") for name in ("crops", "heatmaps", "lines")],
        *[("test_gpu_mask", word) for word in ("twin", "repeat")],
        *[("test_gpu_fit", word) for word in ("cpu", "batch_agrees")],
    ],
}


def build(folder: Path, architectures: str) -> None:
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DDMASK_TESTS=ON", "-DDMASK_CUDA=ON", "-DDMASK_GPU_TESTS=ON"]
    options += ["-DDMASK_TENSORRT=OFF", "-DDMASK_LIBRARY=OFF", f"-DDMASK_CUDA_ARCHITECTURES={architectures}"]
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", *options], check=True)
    subprocess.run(["cmake", "--build", folder, "--target", "gpu_tests"], check=True)


def pack(build_folder: Path, target: Path) -> None:
    """Programs, what they load and the models, for a machine that has none of it."""
    tests = build_folder / "cpp" / "tests"
    cache = (build_folder / "CMakeCache.txt").read_text()
    openvino = Path(re.search(r"^OpenVINO_DIR:.*?=(.*)$", cache, re.M)[1]).parent / "libs"
    for name in ("bin", "lib"):
        (target / name).mkdir(parents=True, exist_ok=True)
    programs = [*sorted(p for p in tests.glob("test_gpu_*") if p.is_file()), tests / "gpu_times"]
    for source in programs:
        subprocess.run(["strip", "-o", target / "bin" / source.name, source], check=True)
    for source in [tests / DOUBLE, *(path for name in OPENVINO for path in openvino.glob(name))]:
        shutil.copy(source, target / "lib")
    shutil.copytree(tests / "models", target / "models", dirs_exist_ok=True)
    commit = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    (target / "about.json").write_text(json.dumps({"commit": commit or "unknown"}))


class Run(NamedTuple):
    status: int | None  # None: it ran out of time
    output: str
    seconds: float


class Machine:
    """Runs packed programs within a budget, and keeps what they print."""

    def __init__(self, packed: Path, budget_s: float, log: Path) -> None:
        self.packed, self.end, self.log = packed, time.monotonic() + budget_s, log
        self.not_run: list[str] = []
        library = {
            "DMASK_TENSORRT_LIBRARY": str(packed / "lib" / DOUBLE),
            "DMASK_MODELS": str(packed / "models"),
        }
        paths = [str(packed / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
        self.environment = os.environ | library | {"LD_LIBRARY_PATH": ":".join(filter(None, paths))}
        log.write_text("")

    def program(self, name: str) -> str:
        return str(self.packed / "bin" / name)

    def has(self, name: str) -> bool:
        return (self.packed / "bin" / name).exists()

    def run(self, name: str, command: list[str], limit_s: float) -> Run | None:
        """None where no time is left; both that and a run that is cut short are named."""
        left_s = self.end - time.monotonic()
        limit_s, why = min((limit_s, "its limit"), (left_s, "the end of the budget"))
        if limit_s < 1:
            self.not_run.append(name)
            return None
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self.environment,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit_s)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            status = None
            self.not_run.append(f"{name} (stopped after {limit_s:.0f} s, {why})")
        seconds = round(time.monotonic() - start, 1)
        with self.log.open("a") as log:
            log.write(f"== {name}: status {status}, {seconds} s\n{output[-20000:]}\n")
        return Run(status, output, seconds)


def card() -> dict[str, str]:
    fields = ("name", "compute_cap", "driver_version")
    query = ["nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader"]
    said = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return dict(
        zip(("card", "compute_capability", "driver"), (part.strip() for part in said.split(",")), strict=True)
    )


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return f"{found[1] if found else 'unknown'}, {os.cpu_count()} cores"


def run_tests(machine: Machine) -> list[dict[str, object]]:
    def one(program: Path) -> dict[str, object] | None:
        run = machine.run(program.name, [str(program)], 60)
        if run is None:
            return None
        said = [
            line for line in run.output.splitlines() if ": " in line or "checks" in line or "failed" in line
        ]
        return {"test": program.name, "passed": run.status == 0, "seconds": run.seconds, "said": said}

    programs = sorted((machine.packed / "bin").glob("test_gpu_*"))
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return [result for result in pool.map(one, programs) if result]


def run_times(machine: Machine, what: str, limit_s: float) -> list[dict[str, object]]:
    run = machine.run(f"gpu_times {what}", [machine.program("gpu_times"), what], limit_s)
    if run and run.status:
        machine.not_run.append(f"gpu_times {what} (ended with {run.status})")
    lines = run.output.splitlines() if run else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def medians_us(table: str) -> dict[str, float]:
    """Of the kernels in what ncu wrote, by name."""
    us_of = {"ns": 1e-3, "nsecond": 1e-3, "us": 1.0, "usecond": 1.0, "ms": 1e3, "msecond": 1e3}
    lines = [line for line in table.splitlines() if line.startswith('"')]
    times: dict[str, list[float]] = {}
    unit = ""
    for row in csv.DictReader(lines):
        said = row["gpu__time_duration.sum"]
        if not row["ID"]:
            unit = said
        else:
            name = row["Kernel Name"].replace("(anonymous namespace)", "unnamed")
            name = name.split("(")[0].rpartition("::")[2]
            times.setdefault(name, []).append(float(said.replace(",", "")) * us_of[unit])
    return {name: round(statistics.median(us), 2) for name, us in sorted(times.items())}


def run_profiler(machine: Machine) -> dict[str, dict[str, float]]:
    kernels: dict[str, dict[str, float]] = {}
    if shutil.which("ncu") is None:
        machine.not_run.append("kernel times (ncu is not on PATH)")
        return kernels
    with tempfile.TemporaryDirectory() as folder:
        for what, (arguments, skip, count) in PROFILED.items():
            if not machine.has(arguments[0]):
                continue
            table = Path(folder, "kernels.csv")
            table.unlink(missing_ok=True)
            options = [
                "--csv",
                "--page",
                "raw",
                "--print-units",
                "base",
                "--metrics",
                "gpu__time_duration.sum",
            ]
            options += ["--clock-control", "none", "--kernel-name-base", "function", "--log-file", str(table)]
            options += ["--launch-skip", str(skip), "--launch-count", str(count)]
            command = ["ncu", *options, machine.program(arguments[0]), *arguments[1:]]
            machine.run(f"ncu {what}", command, 25)
            if table.exists():
                kernels[what] = medians_us(table.read_text())
                with machine.log.open("a") as log:
                    log.write(table.read_text()[:5000] + "\n")
    return kernels


def run_sanitizers(machine: Machine) -> list[dict[str, object]]:
    if shutil.which("compute-sanitizer") is None:
        machine.not_run.append("sanitizers (compute-sanitizer is not on PATH)")
        return []

    def one(case: tuple[str, str, str]) -> dict[str, object] | None:
        tool, program, word = case
        command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9"]
        if tool == "memcheck":  # tests provoke errors of the runtime, and the others throw
            command += ["--report-api-errors", "no"]
        command += [machine.program(program), *([word] if word else [])]
        run = machine.run(f"{tool} {program} {word}", command, 60)
        if run is None or run.status is None:
            return None
        summary = re.findall(r"========= (?:ERROR|RACECHECK) SUMMARY: (.*)", run.output)
        clean = run.status == 0 and bool(summary) and all(line.startswith("0 ") for line in summary)
        found = "; ".join(summary) or "no summary"
        return {
            "tool": tool,
            "test": program,
            "cases": word,
            "clean": clean,
            "found": found,
            "seconds": run.seconds,
        }

    cases = [
        (tool, *case) for tool, all_cases in SANITIZED.items() for case in all_cases if machine.has(case[0])
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return [result for result in pool.map(one, cases) if result]


def table(rows: list[list[object]]) -> str:
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def report(result: dict[str, object]) -> str:
    lines = [f"{result['card']} ({result['compute_capability']}), driver {result['driver']}, {result['day']}"]
    tests = result["tests"]
    lines.append(table([["test", "result", "s"]] + [
        [t["test"], "passed" if t["passed"] else "FAILED", t["seconds"]] for t in tests
    ]))  # fmt: skip
    if result["paint"]:
        keys = ("paint", "painted_ms", "gpu_ms", "without_download_ms", "cpu_ms")
        lines.append(table([list(keys), *([row[key] for key in keys] for row in result["paint"])]))
    if result["fits"]:
        keys = ("fits", "frame_ms", "cpu_ms", "other_reasons")
        lines.append(table([list(keys), *([row[key] for key in keys] for row in result["fits"])]))
    for what, kernels in result["kernels"].items():
        lines.append(
            f"kernels, {what}, median us: " + ", ".join(f"{name} {us}" for name, us in kernels.items())
        )
    found = [s for s in result["sanitizer"] if not s["clean"]]
    lines.append(f"sanitizers: {len(result['sanitizer'])} runs, {len(found)} with findings")
    lines += [f"  {s['tool']} {s['test']} {s['cases']}: {s['found']}" for s in found]
    lines.append("not run: " + ("; ".join(result["not_run"]) or "nothing"))
    return "\n".join(lines)


def measure(packed: Path, budget_s: float, out: Path) -> int:
    start = time.monotonic()
    machine = Machine(packed, budget_s, out.with_suffix(".log"))
    result: dict[str, object] = card() | {"processor": processor(), "day": datetime.date.today().isoformat()}
    result |= json.loads((packed / "about.json").read_text())
    steps = {
        "tests": lambda: run_tests(machine),
        "paint": lambda: run_times(machine, "paint", 40),
        "fits": lambda: run_times(machine, "fits", 40),
        "kernels": lambda: run_profiler(machine),
        "sanitizer": lambda: run_sanitizers(machine),
    }
    for name, step in steps.items():
        result[name] = step()
        result["not_run"], result["seconds"] = machine.not_run, round(time.monotonic() - start, 1)
        out.write_text(json.dumps(result, indent=1) + "\n")  # whatever happens next, this is kept
    print(report(result))
    failed = [t for t in result["tests"] if not t["passed"]] + [
        s for s in result["sanitizer"] if not s["clean"]
    ]
    return 1 if failed or not result["tests"] else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build" / "gpu", help="build folder (default: build/gpu)"
    )
    parser.add_argument(
        "--architectures", default="native", help="GPUs to build for, as of CMake (default: native)"
    )
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="pack what was built, and run nothing")
    parser.add_argument(
        "--packed", type=Path, metavar="FOLDER", help="run what was packed, and build nothing"
    )
    parser.add_argument("--budget-s", type=float, default=600, help="for all runs together (default: 600)")
    parser.add_argument(
        "--out", type=Path, default=Path("gpu.json"), help="result (default: gpu.json), its log beside it"
    )
    arguments = parser.parse_args()
    if arguments.packed is not None:
        return measure(arguments.packed, arguments.budget_s, arguments.out)
    build(arguments.build, arguments.architectures)
    if arguments.pack is not None:
        pack(arguments.build, arguments.pack)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        pack(arguments.build, Path(folder))
        return measure(Path(folder), arguments.budget_s, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
