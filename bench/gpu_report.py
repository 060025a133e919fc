"""What bench/gpu_machine.py measured, as tables of docs/gpu.md, beside what bench/roofline.py allows."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import roofline
from marked_tables import table

MEASURED = Path(__file__).resolve().parent / "results" / "gpu" / "h100.json"
PAPER = roofline.CARDS[-1]  # an H100 too, one with less memory bandwidth
PAINTER = {
    "pose_kernel": "pose",
    "skin_kernel": "skin: normals and shading",
    "triangles_kernel": "triangles",
    "bins_kernel": "bins",
    "draw_kernel": "draw",
    "samples_kernel": "samples (8 where edges are)",
    "resolve_kernel": "resolve",
}
SIZES = ("512 x 512", "1920 x 1080")  # whose kernels are timed


def limits_us(size: str) -> dict[str, float]:
    """Of every piece of work of a frame, by its name in the roofline."""
    width, height = map(int, size.split(" x "))
    return {work.name: roofline.limit_us(work, PAPER) for work in roofline.frame_work(width, height)}


def pretty(size: str) -> str:
    return size.replace("x", "×")


def said_of(result: dict, beginning: str) -> str:
    """The one line of the tests' that begins so."""
    (line,) = (line for test in result["tests"] for line in test["said"] if line.startswith(beginning))
    return line.removeprefix(beginning)


def sanitizers(runs: list[dict]) -> str:
    tools = sorted({run["tool"] for run in runs})
    counts = ", ".join(f"{tool} {sum(run['tool'] == tool for run in runs)}" for tool in tools)
    found = [
        f"{' '.join(filter(None, (run['tool'], run['test'], run['cases'])))}: {run['found']}"
        for run in runs
        if not run["clean"]
    ]
    return f"{len(runs)} runs ({counts}), " + ("; ".join(found) or "no error and no hazard")


def seen(result: dict) -> str:
    day = datetime.date.fromisoformat(result["day"])
    passed = [test for test in result["tests"] if test["passed"]]
    failed = ", ".join(test["test"] for test in result["tests"] if not test["passed"])
    rows = {
        "card": f"{result['card']}, compute capability {result['compute_capability']}, "
        f"driver {result['driver']}; {result['processor']}",
        "day, commit": f"{day.day} {day:%B %Y}, {result['commit'][:7]}",
        "tests": f"{len(passed)} of {len(result['tests'])} programs passed"
        + (f", not {failed}" if failed else ""),
        "frames to masks there, against the CPU": said_of(result, "pipeline: "),
        "compute-sanitizer": sanitizers(result["sanitizer"]),
        "not run to its end": "; ".join(result["not_run"]) or "nothing",
    }
    return table(["what", "seen"], [[name, text] for name, text in rows.items()], numbers=False)


def painting(result: dict) -> str:
    head = ["a mask of", "on the host, ms", "on the GPU", "roofline", "without download", "roofline"]
    rows = []
    for row in result["paint"]:
        limits = limits_us(row["paint"])
        kernels_ms = 1e-3 * sum(limits[work] for work in PAINTER.values())
        whole_ms = kernels_ms + 1e-3 * limits["download of the mask (BGR)"]
        measured = [row["painted_ms"], row["gpu_ms"], whole_ms, row["without_download_ms"], kernels_ms]
        rows.append([pretty(row["paint"]), *(f"{ms:.2f}" for ms in measured), f"{row['cpu_ms']:.1f}"])
    return table([*head, "CPU, one thread"], rows)


def painters_kernels(result: dict) -> str:
    rows = []
    limits = {size: limits_us(size) for size in SIZES}
    for kernel, work in PAINTER.items():
        pairs = ((result["kernels"][size][kernel], limits[size][work]) for size in SIZES)
        rows.append([kernel, *(f"{us:.1f}" for pair in pairs for us in pair)])
    head = [text for size in SIZES for text in (f"{pretty(size)}, µs", "roofline")]
    return table(["kernel of the mask", *head], rows)


def other_kernels(result: dict) -> str:
    rows = [
        [kernel, f"{us:.1f}", what]
        for what, kernels in result["kernels"].items()
        if what not in SIZES
        for kernel, us in kernels.items()
        if kernel not in PAINTER
    ]
    return table(["other kernel", "µs", "in"], rows)


def fits(result: dict) -> str:
    rows = [[str(row["fits"]), f"{row['frame_ms']:.3f}", f"{row['cpu_ms']:.2f}"] for row in result["fits"]]
    return table(["frames fitted at once", "each, ms", "CPU, one thread"], rows)


def sections(result: dict) -> Iterator[str]:
    yield seen(result)
    yield painting(result)
    yield painters_kernels(result)
    yield other_kernels(result)
    yield fits(result)


def tables() -> str:
    return "\n\n".join(sections(json.loads(MEASURED.read_text(encoding="utf-8"))))
