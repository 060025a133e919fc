"""Model cards from measured figures: what a net is, how it was trained, what it reaches, what it does not.

    dmask train validate --synthetic EYES --json research.json
    dmask train validate --synthetic EYES --models python/dmask/models/open --json open.json
    dmask eval landmarks FACES --held-out --groups tests/data/face_tags.csv --json faces_research.json
    dmask eval landmarks FACES ... --weights open --json faces_open.json
    dmask train cards research.json faces_research.json open.json faces_open.json

Every figure on a card comes from these files, both sets of weights beside each other; what cannot be
measured (data, terms, commands, hours, limits) comes from cards/training.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dmask.environment import MODELS_DIR, sha256, weights_dir
from dmask.io.atomic import atomic_file
from dmask.ranges import place

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WEIGHTS = ("research", "open")
CARDS = MODELS_DIR / "cards"
NETS = {  # file stem: (part of the validation report, prefix of its figures there)
    "face68": ("face", ""),
    "eyelid": ("eyes", "eyelid_"),
    "iris": ("eyes", "iris_"),
    "lines": ("eyes", "lines_"),
}


def rows_of(net: str, report: dict[str, Any], faces: dict[str, Any]) -> dict[str, Any]:
    """Figures of one net by name; those through the whole detector come from `faces`."""
    part, prefix = NETS[net]
    figures = {}
    for name, value in report[part].items():
        if name.startswith((prefix, f"spectacles_{prefix}")):
            figures[name.replace(prefix, "", 1)] = value
    for name, value in faces.items():
        of_lid = name.endswith(("lid_polyline_pct", "lid_cubic_pct"))
        wanted = of_lid if net == "eyelid" else net == "face68" and not of_lid
        if wanted and isinstance(value, int | float) and name != "threads":
            figures[f"whole detector, {name}"] = value
    return figures


def table(columns: dict[str, dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    lines = [f"| figure | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name in names:
        cells = (f"{figures[name]:.4g}" if name in figures else "" for figures in columns.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def card(net: str, facts: dict[str, Any], reports: dict[str, tuple[dict, dict]]) -> str:
    about, common = facts[net], facts["common"]
    columns = {weights: rows_of(net, *reports[weights]) for weights in WEIGHTS}
    first = reports["research"][0]
    lines = [
        f"# {net}.onnx",
        f"{about['title']}. Research use only; not a medical device.",
        f"- **Net**: {about['net']} Weights stored as float16.\n- **In**: {about['input']}.\n"
        f"- **Out**: {about['output']}.",
        "## Two sets of weights",
        "| | research | open |\n|---|---|---|\n"
        f"| chosen with | `--weights research` (default) | `--weights open` |\n"
        f"| data | {about['research_data']} | {about['open_data']} |\n"
        f"| terms | {common['research_terms']} | {common['open_terms']} |\n"
        f"| trained with | `{about['research_command']}` | `{about['open_command']}` |\n"
        f"| steps of 32 pictures, hours | {about['research_effort']} | {about['open_effort']} |\n"
        + "| sha256 | "
        + " | ".join(f"`{sha256(weights_dir(w) / f'{net}.onnx')}`" for w in WEIGHTS)
        + " |",
        common["data"],
        about["labels"],
        "## Figures",
        f"OpenVINO {first['versions']['openvino'].split('-')[0]}, {first['precision']}, one thread, "
        f"{first['hardware']}; {about['units']}. {common['held_out']}",
        table(columns),
        "## Limits",
        "\n".join(f"- {limit}" for limit in about["limits"]),
    ]
    return "\n\n".join(lines) + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for weights in WEIGHTS:
        parser.add_argument(f"{weights}_report", type=place, help="of dmask train validate --json")
        parser.add_argument(f"{weights}_faces", type=place, help="of dmask eval landmarks --groups --json")


def run(args: argparse.Namespace) -> int:
    facts = tomllib.loads((CARDS / "training.toml").read_text(encoding="utf-8"))

    def read(path: Path) -> dict[str, Any]:
        return json.loads(path.read_text(encoding="utf-8"))

    reports = {
        "research": (read(args.research_report), read(args.research_faces)),
        "open": (read(args.open_report), read(args.open_faces)),
    }
    for net in NETS:
        with atomic_file(CARDS / f"{net}.md", overwrite=True) as partial:
            partial.write_text(card(net, facts, reports), encoding="utf-8")
        print(f"{net}.md")
    return 0
