"""A report of `dmask bench` as text, and two of them side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dmask.errors import WrongUse

COLUMNS = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
SINGLE = ("frame_to_mask_p99_over_p50", "sustained_fps", "throughput_fps", "cold_start_ms", "peak_rss_mb")
KEYS = ("stages", "hardware", "versions", "threads", "throughput_fps", "cold_start_ms", "peak_rss_mb")
EYES = "the nets of the eyes run as one: net_iris and net_lines are only what their decoding takes"
CLOCK = "hardware frequency_mhz"  # varies from moment to moment


def modes(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The report's own numbers and those of the overlapped mode, where it has them."""
    return [report, *([report["overlapped"]] if "overlapped" in report else [])]


def title(part: dict[str, Any]) -> str:
    return "stages one after another" if part["threads"] == 1 else "stages overlapping"


def machine(report: dict[str, Any]) -> str:
    hardware = report["hardware"]
    clock = hardware.get("frequency_mhz")
    parts = [hardware["cpu"], f"{hardware['logical_cpus']} logical CPUs"]
    parts += [f"{clock} MHz"] if clock else []
    return ", ".join([*parts, f"governor {hardware.get('governor') or 'not readable'}"])


def report_lines(report: dict[str, Any]) -> list[str]:
    lines = [
        machine(report),
        f"{report['frames']} frames of {report['width']}x{report['height']}, steady state from frame "
        f"{report['steady_from_frame']} on; load {report['load_1min']} before",
        f"backend {report['backend']} ({report['backend_reason']}), {report['precision']}, "
        f"commit {report['commit'] or 'unknown'}",
        ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
        *([EYES] if report["backend"] == "cpu" else []),
    ]
    for part in modes(report):
        lines += ["", f"{title(part)}, {part['threads']} thread(s)", *mode_lines(part)]
    article = report["article"]
    times = " / ".join(f"{article[name]:g}" for name in ("fit_face", "fit_eyelid", "fit_eyeball"))
    return [
        *lines,
        "",
        f"the article's face / eyelid / eyeball fit: {times} ms, on other hardware ({article['hardware']})",
    ]


def mode_lines(part: dict[str, Any]) -> list[str]:
    whole = part["decode_to_encode"]
    rows = part["stages"] | ({"decode_to_encode": whole} if whole else {})
    lines = [f"{'stage':<18}" + "".join(f"{column:>9}" for column in COLUMNS)]
    lines += [
        f"{name:<18}" + "".join(f"{row[column]:>9.2f}" for column in COLUMNS) for name, row in rows.items()
    ]
    factors = ", ".join(f"{value:.2f} at {rate}" for rate, value in part["realtime_factor"].items())
    sustained = part["sustained_fps"]
    lines += [
        f"frame_to_mask p99/p50 {part['frame_to_mask_p99_over_p50']:.2f}",
        f"sustained {f'{sustained:.1f} frames/s' if sustained else 'not measured, too few frames'}; "
        f"{part['throughput_fps']:.1f} with calibration and files; real time x {factors} fps",
        f"cold start {part['cold_start_ms']:.0f} ms to the first mask; "
        f"peak memory {part['peak_rss_mb']:.0f} MB",
    ]
    if "linear" in part:
        (few, many), (few_s, many_s) = part["linear"]["frames"], part["linear"]["seconds"]
        lines.append(
            f"{few} frames {few_s:.2f} s, {many} frames {many_s:.2f} s: ratio {part['linear']['ratio']:.2f}"
        )
    return lines


def read_report(name: str) -> dict[str, Any]:
    """Raises WrongUse for a file that is not a report of `dmask bench`."""
    expected = "expected a report that `dmask bench --json` wrote"
    try:
        report: dict[str, Any] = json.loads(Path(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUse(f"{name} does not exist; {expected}: check the name") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise WrongUse(f"{name} is not JSON; {expected}") from None
    missing = [key for key in KEYS if not isinstance(report, dict) or key not in report]
    if missing:
        raise WrongUse(f"{name} has no {missing[0]}; {expected}")
    return report


def compare_lines(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Both reports side by side with the ratio B / A, and first what makes them hard to compare."""
    lines = [f"different {name}: {ours} | {theirs}" for name, ours, theirs in differences(a, b)]
    lines = lines or ["same hardware, versions and settings"]
    for one, two in zip(modes(a), modes(b), strict=False):
        lines += ["", title(one), f"{'':<28}{'A':>10}{'B':>10}{'B/A':>8}"]
        for name in one["stages"] | two["stages"]:
            for column in ("p50_ms", "p99_ms"):
                values = [part["stages"].get(name, {}).get(column) for part in (one, two)]
                lines.append(compared(f"{name} {column}", *values))
        for name in SINGLE:
            lines.append(compared(name, one.get(name), two.get(name)))
    return lines


def compared(name: str, a: float | None, b: float | None) -> str:
    cells = "".join(f"{'-' if value is None else f'{value:.2f}':>10}" for value in (a, b))
    return f"{name:<28}{cells}" + (f"{b / a:>8.2f}" if a and b is not None else f"{'-':>8}")


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """(name, A's, B's) of everything that is not the same in the two runs' circumstances."""

    def circumstances(report: dict[str, Any]) -> dict[str, Any]:
        parts = ("hardware", "versions")
        named = {f"{part} {key}": value for part in parts for key, value in report[part].items()}
        names = ("threads", "backend", "precision", "width", "height", "frames", "commit")
        return named | {name: report.get(name) for name in names}

    ours, theirs = circumstances(a), circumstances(b)
    both = [(name, ours.get(name), theirs.get(name)) for name in ours | theirs if name != CLOCK]
    return [(name, one, other) for name, one, other in both if one != other]
