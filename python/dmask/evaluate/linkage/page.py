"""One HTML page of a linkage study: what was reached, by whom, and what ways to disguise a face leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from dmask.evaluate.linkage.attacks import FAR, Attack
from dmask.io.atomic import atomic_file

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right;font-weight:normal}
th{color:#666;vertical-align:bottom}
td.w,th.w{text-align:left}
.plots{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:0}
figcaption{font-size:13px}
.k{display:inline-block;width:.8rem;height:.2rem;vertical-align:middle;margin-right:.4rem}
"""
COLOURS = ("#1b6ca8", "#c8553d", "#3b8f5a", "#8e5aa8", "#b8860b", "#555", "#d67ab1", "#2aa1a1")
PLOT_PX = 260
SIDE_BY_SIDE = 8  # curves of one plot, the highest ones


def write_page(path: Path, figures: dict[str, Any], attacks: Sequence[Attack]) -> None:
    """Whole or not at all; no picture of anybody is on it."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Linkage of masks</title>",
        f"<style>{STYLE}</style><h1>Can these masks be linked to their people?</h1>",
        paragraph(introduction(figures)),
        *(paragraph(f"Doubtful: {doubt}.") for doubt in figures["doubts"]),
        "<h2>The strongest attackers</h2>",
        strongest(figures),
        *disguises(figures, attacks),
        "<h2>Trade of true and false acceptance</h2>",
        plots(attacks),
        "<h2>All attacks</h2>",
        paragraph(
            "Rank-1 and Rank-5 with Wilson intervals, AUC with a jackknife over people, "
            f"TAR at FAR {FAR:.0%}. The control is an attacker who learnt from exchanged faces, or a gallery "
            "of exchanged masks. An undetected face is scored through its known place."
        ),
        every_attack(attacks),
        "<h2>With what</h2>",
        conditions(figures),
    ]
    with atomic_file(path, overwrite=True) as partial:
        partial.write_text("\n".join(parts) + "\n", encoding="utf-8")


def introduction(figures: dict[str, Any]) -> str:
    two = "of them in two sessions"
    return (
        f"Pictures of {figures['people']} people, {figures['people_with_two_sessions']} {two}; recordings of "
        f"{figures['people_recorded']}, {figures['people_recorded_in_two_sessions']} {two}. Attackers learnt "
        f"from {figures['people_to_learn_from']} others and from the people of the other folds. Chance is a "
        f"Rank-1 of {figures['chance_rank1_pct']:g} % and an AUC of 0.5."
    )


def strongest(figures: dict[str, Any]) -> str:
    rows = [
        (profile, f"{best[key]['has']}, {best[key]['attacker']}", best[key]["against"], shown)
        for profile, best in figures.get("worst", {}).items()
        for key, shown in (("rank1", rank1(best["rank1"])), ("auc", auc(best["auc"])))
    ]
    return table(("profile", "attacker", "against", "reached"), rows, words=3)


def rank1(row: dict[str, Any]) -> str:
    return f"Rank-1 {row['rank1_pct']:.2f} % ({row['rank1_low_pct']:.1f} to {row['rank1_high_pct']:.1f})"


def auc(row: dict[str, Any]) -> str:
    return f"AUC {row['auc']:.3f} ({row['auc_low']:.3f} to {row['auc_high']:.3f})"


def disguises(figures: dict[str, Any], attacks: Sequence[Attack]) -> list[str]:
    if not figures["disguises"]:
        return []
    rows = []
    for way, found in figures["disguises"].items():
        best = [
            a
            for a in attacks
            if a.of == way and a.session == "other" and a.against == "faces" and a.has == "mask"
        ]
        linked = max(best, key=lambda a: a.rank1.value) if best else None
        link = f"{100 * linked.rank1.value:.1f} ({linked.attacker})" if linked else ""
        rows.append((way, *(f"{value:.3g}" for value in found.values()), link))
    names = [name.replace("_", " ") for name in next(iter(figures["disguises"].values()))]
    return [
        "<h2>What each way to disguise a face leaves</h2>",
        paragraph(
            "Signs are what dmask reads from the disguised picture, against what it reads from the original: "
            "shares of eyes still measured, correlations of opening and gaze, the median error of gaze."
        ),
        table(("", *names, "Rank-1 % of a frozen recogniser"), rows, words=1),
    ]


def plots(attacks: Sequence[Attack]) -> str:
    groups: dict[tuple[str, str], list[Attack]] = {}
    for attack in attacks:
        if attack.session == "other":
            groups.setdefault((attack.of, attack.against), []).append(attack)
    return (
        "<div class='plots'>"
        + "".join(plot(f"{of}, against {to}", g) for (of, to), g in groups.items())
        + "</div>"
    )


def plot(title: str, attacks: list[Attack]) -> str:
    """True against false acceptance, with the diagonal of chance."""
    chosen = sorted(attacks, key=lambda a: -a.auc.value)[:SIDE_BY_SIDE]
    lines = [f"<line x1='0' y1='{PLOT_PX}' x2='{PLOT_PX}' y2='0' stroke='#bbb' stroke-dasharray='4 4'/>"]
    keys = []
    for attack, colour in zip(chosen, COLOURS, strict=False):
        false, true = attack.roc
        at = np.unique(np.round(np.linspace(0, len(false) - 1, 80)).astype(int))
        points = " ".join(f"{PLOT_PX * false[i]:.1f},{PLOT_PX * (1 - true[i]):.1f}" for i in at)
        lines.append(f"<polyline fill='none' stroke='{colour}' stroke-width='1.5' points='{points}'/>")
        keys.append(
            f"<span class='k' style='background:{colour}'></span>{escape(attack.has)}, "
            f"{escape(attack.attacker)} {attack.auc.value:.3f}"
        )
    box = f"<rect width='{PLOT_PX}' height='{PLOT_PX}' fill='none' stroke='#999'/>"
    opening = f"<svg width='{PLOT_PX}' height='{PLOT_PX}' role='img' aria-label='{escape(title)}'>"
    caption = f"<figcaption><b>{escape(title)}</b><br>{'<br>'.join(keys)}</figcaption>"
    return f"<figure>{opening}{box}{''.join(lines)}</svg>{caption}</figure>"


def every_attack(attacks: Sequence[Attack]) -> str:
    rows = []
    for attack in attacks:
        shown = [f"{100 * value:.2f}" for value in (*attack.rank1, attack.rank5.value)]
        auc = [f"{value:.3f}" for value in (*attack.auc, attack.tar, attack.control_auc)]
        rows.append(
            (*attack[:6], f"{shown[0]} ({shown[1]} to {shown[2]})", shown[3],
             f"{auc[0]} ({auc[1]} to {auc[2]})", auc[3], auc[4])
        )  # fmt: skip
    names = (
        "of",
        "has",
        "attacker",
        "against",
        "session",
        "people",
        "Rank-1 %",
        "Rank-5 %",
        "AUC",
        "TAR",
        "control AUC",
    )
    return table(names, rows, words=5)


def conditions(figures: dict[str, Any]) -> str:
    rows = [("dmask", figures["dmask"])]
    rows += [(name, value) for name, value in figures["versions"].items() if name != "dmask"]
    rows += [(name.replace("_", " "), value) for name, value in figures["hardware"].items()]
    rows += [(r["name"], f"{r['source']}; licence: {r['licence']}") for r in figures["recognisers"]]
    rows += [(name, value) for name, value in figures["options"].items() if name != "models_dir"]
    return table(("", ""), rows, words=2)


def table(names: Sequence[str], rows: Iterable[Sequence[Any]], words: int) -> str:
    """The first `words` columns are text, the others numbers."""

    def cells(kind: str, values: Sequence[Any]) -> str:
        classes = ["class='w'" if i < words else "" for i in range(len(values))]
        return "".join(f"<{kind} {c}>{escape(str(v))}</{kind}>" for c, v in zip(classes, values, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', names)}</tr>{body}</table>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
