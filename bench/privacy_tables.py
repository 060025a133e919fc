"""Puts what attackers reach into docs/privacy.md.

python bench/privacy_tables.py [--linkage OUT/linkage.json] [--curve F] [--motion F] [--commit C]

The figures are those of `dmask eval linkage`, of bench/privacy_curve.py and of bench/motion_linkage.py; they
are kept in bench/results/privacy with the commit that they were made on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from marked_tables import table, with_table

from dmask.evaluate.benchmark import commit as of_checkout
from dmask.io.report import write_report

CHECKOUT = Path(__file__).resolve().parent.parent
DOCUMENT = CHECKOUT / "docs" / "privacy.md"
RESULTS = CHECKOUT / "bench" / "results" / "privacy"
PROFILES = ("clinical", "strict", "article")
LEARNT = ("correlation with faces", "discriminant")
HELD = {  # who holds what: of the rows of linkage.json
    "mask, a recogniser as it is": lambda a: a["has"] == "mask" and a["attacker"] not in (*LEARNT, "network"),
    "mask, who learns": lambda a: a["has"] == "mask" and a["attacker"] in LEARNT,
    "mask turned straight, who learns": lambda a: a["has"] == "mask turned straight",
    "files, who learns": lambda a: a["has"] == "files",
    "mask and files, who learns": lambda a: a["has"] == "mask and files" and a["attacker"] in LEARNT,
    "mask and files, a network": lambda a: a["attacker"] == "network",
}
OBSCURED = {
    "original": "nothing", "crop": "the eyes alone", "bar": "a bar over the eyes", "blur": "blur",
    "pixels": "mosaic", "deface": "the face covered",
}  # fmt: skip


def figure(rows: list[dict[str, Any]]) -> str:
    """Of several attackers the highest Rank-1, and the highest area."""
    if not rows:
        return "–"
    first = max(rows, key=lambda a: a["rank1_pct"])
    widest = max(rows, key=lambda a: a["auc"])
    return (
        f"{first['rank1_pct']:.1f} ({first['rank1_low_pct']:.1f} to {first['rank1_high_pct']:.1f}), "
        f"{widest['auc']:.3f}"
    )


def attackers(figures: dict[str, Any]) -> str:
    others = [a for a in figures["attacks"] if a["session"] == "other"]
    rows = []
    for name, held in HELD.items():
        for against in ("faces", "masks"):
            mine = [a for a in others if a["against"] == against and held(a)]
            if mine:
                rows.append(
                    [
                        name,
                        against,
                        *(figure([a for a in mine if a["of"] == profile]) for profile in PROFILES),
                    ]
                )
    return table(["attacker has", "against", *(f"`{profile}`" for profile in PROFILES)], rows, numbers=False)


def disguises(figures: dict[str, Any]) -> str:
    rows = []
    for way, signs in figures["disguises"].items():
        faces = [
            a for a in figures["attacks"]
            if a["of"] == way and a["has"] == "mask" and a["against"] == "faces" and a["session"] == "other"
            and a["attacker"] not in (*LEARNT, "network")
        ]  # fmt: skip
        rows.append([
            OBSCURED.get(way, f"mask, `{way}`"), figure(faces), percent(signs["faces_found"]),
            percent(signs["lids_measured"]), told(signs["openness_r"]), percent(signs["gaze_measured"]),
            told(signs["gaze_error_deg"], 1),
        ])  # fmt: skip
    head = [
        "done to the picture", "Rank-1 %, area", "faces found, %", "lids seen, %", "opening, r",
        "gazes seen, %", "gaze off, degrees",
    ]  # fmt: skip
    return table(head, rows, numbers=False)


def percent(share: float | None) -> str:
    return told(None if share is None else 100 * share, 0)


def told(value: float | None, digits: int = 2) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def linkage(figures: dict[str, Any]) -> str:
    learnt, chance_pct = figures["people_to_learn_from"], figures["chance_rank1_pct"]
    about = (
        f"{figures['people_with_two_sessions']} people, {learnt:,} others to learn from, commit "
        f"{figures['commit']}: Rank-1 in % with its 95 % interval (chance {chance_pct:.2f}), and the area "
        "under the curve (chance 0.5), of the best attacker of a kind each."
    )
    return (
        f"{about}\n\n{attackers(figures)}\n\nThe same recognisers, as they are, on pictures that are made "
        "unrecognisable in other ways, against faces; and what dmask still measures in them of the eyes' "
        f"signs, of those that it measures in the originals:\n\n{disguises(figures)}"
    )


AGAINST = ("faces", "masks", "masks, discriminant")


def curve(figures: dict[str, Any]) -> str:
    rows = [
        [
            knob["let out"],
            *(f"{knob[name][0]:.1f}, {knob[name][1]:.3f}" for name in AGAINST),
            told(knob["cost"]["heights"]), told(knob["cost"]["gaze"], 1), told(knob["cost"]["head"], 1),
        ]
        for knob in figures["knobs"]
    ]  # fmt: skip
    head = ["let out", *AGAINST, "lids, mm", "gaze, degrees", "head, degrees"]
    return f"{figures['people']} people, commit {figures['commit']}.\n\n{table(head, rows, numbers=False)}"


def motion(figures: dict[str, Any]) -> str:
    by_name = {line["name"]: line for line in figures["lines"]}
    rows = []
    for release in dict.fromkeys(name.split(":")[0] for name in by_name):
        if f"{release}: motion, 10" not in by_name:
            continue
        lines = [by_name[f"{release}: {what}"] for what in (*(f"motion, {n}" for n in (10, 30, 100)), STILL)]
        area = lines[1]["auc"]
        rows.append(
            [named(release), *(share(line["rank1"]) for line in lines[:3])]
            + [f"{area[0]:.3f} ({area[1]:.3f} to {area[2]:.3f})", share(lines[3]["rank1"])]
        )
    head = ["", "10", "30", "100", "area", "medians alone"]
    return f"{table(head, rows, numbers=False)}\n\nCommit {figures['commit']}."


STILL = "medians alone, 30"


def named(release: str) -> str:
    name, coarse = release.split(", coarse ")
    words = name.removesuffix("-coarse").split("-")
    options = f" --keep {words[1]}" if len(words) > 1 else ""
    return f"`{words[0]}{options}{' --coarse-time on' if coarse == 'on' else ''}`"


def share(values: list[float]) -> str:
    value, low, high = (100 * v for v in values)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


TABLES = {"linkage": linkage, "curve": curve, "motion": motion}


def kept(name: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in TABLES:
        parser.add_argument(f"--{name}", type=Path, metavar="F")
    parser.add_argument("--commit", default=of_checkout(), help="that they were made on (default: this one)")
    args = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, made in TABLES.items():
        taken = getattr(args, name)
        if taken is not None:
            commit = (args.commit or "unknown")[:7]
            figures = json.loads(taken.read_text(encoding="utf-8")) | {"commit": commit}
            write_report(RESULTS / f"{name}.json", figures)
        text = with_table(text, name, made(kept(name)))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
