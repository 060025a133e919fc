"""`dmask eval stability`: how steady the detected landmarks are on video, without smoothing or truth.

It measures each recording, and all together: jitter while the picture stands still, exchanged eyes, the
course of every blink, and what a small or a mirrored picture of the same face changes. Percentages are of
the distance between the outer eye corners.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmask.arrays import Floats
from dmask.evaluate.jitter import MIN_CHANGED, MIN_CONFIDENCE, STILL_PCT, across, deviations
from dmask.evaluate.lid_course import MONOTONE, BlinkCourse, blink_courses, openness, winks
from dmask.evaluate.tracks import COLUMNS, Tracks, follow, interocular
from dmask.evaluate.variants import in_variants
from dmask.io.tables import EYE_POINTS, EYES
from dmask.options import add_backend_arguments, core_options, make_pipeline

KINDS = ("face", "jaw", "inner_face", "lid", "iris_centre", "limbus", "crease", "upper", "lower", "bulge")
CURVES = {"jaw": ["jaw"]} | {
    line: [f"{eye}_{line}" for eye in EYES] for line in ("crease", "upper", "lower", "bulge")
}  # along which a point may slide
YAW_BANDS_DEG = (15, 30, 45)
SHUT = 0.05  # openness below which a shut eye should fall


class Findings(NamedTuple):
    """What was found in one recording."""

    clip: str
    frames: int
    frames_without_face: int
    frames_repeated: int
    windows: int
    jitter_pct: dict[str, Floats]  # of every still point
    yaw_deg: Floats  # (F,) of the frames with a face
    swapped: NDArray[np.bool_]  # (F,) of the same
    swapped_frames: list[int]
    blinks: list[BlinkCourse]
    variants_pct: dict[str, dict[str, Floats]]  # by variant and kind of point; NaN where the face was lost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="CLIP|DIR", help="a video, or a folder of them")
    parser.add_argument("--frames", type=int, metavar="N", help="of each clip, from its start (default all)")
    parser.add_argument(
        "--samples",
        type=int,
        default=60,
        metavar="N",
        help="frames of each clip whose small and mirrored variants are measured (default 60; 0: none)",
    )
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    from dmask import environment
    from dmask.errors import Error, WrongUse
    from dmask.io.source import find_input, list_folder

    if args.frames is not None and args.frames < 1:
        raise WrongUse(f"got --frames {args.frames}, expected 1 or more")
    if args.samples < 0:
        raise WrongUse(f"got --samples {args.samples}, expected 0 or more")
    source = find_input(args.input)
    clips = list_folder(source) if source.is_dir() else [(source.stem, source)]
    options = core_options(args)
    pipeline = make_pipeline(options)
    found = []
    for name, path in clips:
        try:
            tracks = follow(path, pipeline, args.frames, args.threads)
            variants = in_variants(path, pipeline, len(tracks.time_s), args.samples, args.threads)
        except Error as error:
            raise Error(f"{path}: {error}") from None
        found.append(findings(name, tracks, variants))
    return {
        "clips": {one.clip: figures([one]) for one in found},
        "all": figures(found),
        "backend": pipeline.backend,
        "precision": args.precision,
        "threads": args.threads,
        "hardware": environment.hardware(),
        "versions": environment.versions(),
        "models_sha256": environment.model_sha256(args.weights, environment.models_folder(options)),
    }


def findings(clip: str, tracks: Tracks, variants: dict[str, Floats]) -> Findings:
    face = np.asarray(np.isfinite(tracks.points).all(axis=(1, 2)))
    wrong = swapped(tracks.points[face])
    blinks = []
    for eye in EYES:
        opened = np.full(len(face), np.nan)
        opened[face] = openness(eye, tracks.points[face][:, COLUMNS[f"{eye}_lid"]])
        blinks += blink_courses(eye, opened)
    jitter_pct, windows = jitter(tracks)
    return Findings(
        clip,
        len(face),
        int((~face).sum()),
        int((tracks.changed < MIN_CHANGED).sum()),
        windows,
        jitter_pct,
        tracks.yaw_deg[face],
        wrong,
        np.flatnonzero(face)[wrong].tolist(),
        blinks,
        {
            variant: {kind: distances_pct(pairs[:, 0], pairs[:, 1], kind) for kind in KINDS}
            for variant, pairs in variants.items()
        },
    )


def jitter(tracks: Tracks) -> tuple[dict[str, Floats], int]:
    """Deviation (N,) in % of every seen point in every still window, by kind; and the windows of still eyes.

    A point of the face counts where the picture moves by less than STILL_PCT at its place and at the median
    of the face; an eye's points where nine tenths of its lid and iris do as well. `*_across` is
    normal to the curve.
    """
    found = deviations(
        tracks.time_s,
        tracks.points,
        tracks.motion,
        tracks.changed,
        interocular(tracks.points),
        tracks.confidence,
    )
    pct = 100 / found.interocular_px[:, None]
    moved_pct = pct * found.moved_px
    still = np.zeros_like(found.seen)
    still[:, :68] = moved_pct[:, :68] < STILL_PCT
    for eye in EYES:
        places = np.r_[COLUMNS[f"{eye}_lid"], COLUMNS[f"{eye}_iris"]]
        still[:, COLUMNS[eye]] = np.quantile(moved_pct[:, places], 0.9, axis=1)[:, None] < STILL_PCT
    still &= np.median(moved_pct[:, :68], axis=1)[:, None] < STILL_PCT
    windows = int(still[:, 68:].any(axis=1).sum())
    still &= found.seen
    size_pct = pct * np.linalg.norm(found.xy_px, axis=2)
    result = {kind: size_pct[:, COLUMNS[kind]][still[:, COLUMNS[kind]]] for kind in KINDS}
    points = tracks.points[found.frame]
    for name, parts in CURVES.items():
        normal_pct = [
            (pct * across(found.xy_px[:, at], points[:, at]))[still[:, at]]
            for at in (COLUMNS[part] for part in parts)
        ]
        result[f"{name}_across"] = np.concatenate(normal_pct)
    return result, windows


def swapped(points: Floats) -> NDArray[np.bool_]:
    """Frames (F,) of (F, 306, 2) points in which OD and OS are exchanged, or both lie on one eye.

    In an upright face OD lies on the left of the picture. The middle of the face, from the bridge of the nose
    to lips and chin, says which way is upright: it knows no left and right.
    """
    down = points[:, [8, 51, 57]].mean(axis=1) - points[:, 27]
    rightwards = np.stack([down[:, 1], -down[:, 0]], axis=1)
    wrong = np.zeros(len(points), bool)
    pairs = [(np.r_[36:42], np.r_[42:48])]
    pairs += [(COLUMNS[f"od_{part}"], COLUMNS[f"os_{part}"]) for part in EYE_POINTS]
    for od, os in pairs:
        between = points[:, os].mean(axis=1) - points[:, od].mean(axis=1)
        wrong |= (between * rightwards).sum(axis=1) < 0
    canthi = [np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in ((36, 39), (42, 45))]
    lids = points[:, COLUMNS["os_lid"]].mean(axis=1) - points[:, COLUMNS["od_lid"]].mean(axis=1)
    one_eye_twice: NDArray[np.bool_] = np.linalg.norm(lids, axis=1) < 0.5 * np.minimum(*canthi)
    return wrong | one_eye_twice


def distances_pct(full: Floats, other: Floats, kind: str) -> Floats:
    """(N, 306, 3) against (N, 306, 3) -> (M,) in % of the outer eye corners, where `full` sees the point."""
    distance = np.linalg.norm((other - full)[..., :2], axis=2)
    pct = 100 * distance / interocular(full[..., :2])[:, None]
    seen: Floats = pct[:, COLUMNS[kind]][full[:, COLUMNS[kind], 2] >= MIN_CONFIDENCE]
    return seen


def figures(found: list[Findings]) -> dict[str, Any]:
    """What some recordings show together, ready for JSON."""

    def joined(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
        return {name: np.concatenate([part[name].ravel() for part in parts]) for name in parts[0]}

    jitter_pct = joined([one.jitter_pct for one in found])
    variants_pct = {
        variant: joined([one.variants_pct[variant] for one in found]) for variant in found[0].variants_pct
    }
    blinks = [(one.clip, blink) for one in found for blink in one.blinks]
    lone = [wink for one in found for wink in winks(one.blinks)]
    return {
        "frames": sum(one.frames for one in found),
        "frames_without_face": sum(one.frames_without_face for one in found),
        "frames_repeated": sum(one.frames_repeated for one in found),
        "still_windows": sum(one.windows for one in found),
        "jitter_pct": {name: spread(values, (50, 95)) for name, values in jitter_pct.items()},
        "swaps": swaps_by_yaw(found),
        "swapped_frames": [[one.clip, frame] for one in found for frame in one.swapped_frames],
        "blinks": len(blinks),
        "blinks_monotone": sum(blink.monotone for _, blink in blinks),
        "blinks_below_shut": sum(blink.openness < SHUT for _, blink in blinks),
        "winks": {eye: sum(wink.eye == eye for wink in lone) for eye in EYES},
        "exceptions": [
            {"clip": clip} | blink._asdict() | {"monotone": blink.monotone}
            for clip, blink in blinks
            if not blink.monotone or blink.openness >= SHUT
        ],
        "variants_pct": {
            variant: {kind: compared(values) for kind, values in kinds.items()}
            for variant, kinds in variants_pct.items()
        },
    }


def swaps_by_yaw(found: list[Findings]) -> dict[str, dict[str, int]]:
    yaw_deg = np.abs(np.concatenate([one.yaw_deg for one in found]))
    wrong = np.concatenate([one.swapped for one in found])
    edges = (0, *YAW_BANDS_DEG, np.inf)
    bands = {
        f"{low}-{high} deg": (yaw_deg >= low) & (yaw_deg < high)
        for low, high in zip(edges, edges[1:], strict=False)
    }
    bands["unknown"] = ~np.isfinite(yaw_deg)
    return {name: {"frames": int(at.sum()), "swapped": int(wrong[at].sum())} for name, at in bands.items()}


def spread(values: Floats, percentiles: tuple[int, ...]) -> dict[str, float | int | None]:
    result: dict[str, float | int | None] = {"points": int(values.size)}
    for q in percentiles:
        result[f"p{q}"] = float(np.percentile(values, q)) if values.size else None
    return result


def compared(values: Floats) -> dict[str, float | int | None]:
    seen = values[np.isfinite(values)]
    lost_share = float(1 - seen.size / values.size) if values.size else None
    return {"mean": float(seen.mean()) if seen.size else None, "lost_share": lost_share} | spread(seen, (95,))


def as_text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    rows = figures["clips"] | ({"all": figures["all"]} if len(figures["clips"]) > 1 else {})
    lines = [f"jitter in still windows, p50/p95 in % (picture moves < {STILL_PCT:g} % in a window)"]
    kinds = list(figures["all"]["jitter_pct"])
    lines += table(
        ["clip", "frames", "no face", "still", *kinds],
        [
            [name, row["frames"], row["frames_without_face"], row["still_windows"]]
            + [pair(row["jitter_pct"][kind], "p50", "p95") for kind in kinds]
            for name, row in rows.items()
        ],
    )
    lines += ["", "frames with exchanged eyes / frames, by head yaw; blinks and closures"]
    bands = list(figures["all"]["swaps"])
    lines += table(
        ["clip", *bands, "blinks", "monotone", f"below {SHUT:g}", "winks od", "os"],
        [
            [name, *(f"{row['swaps'][band]['swapped']}/{row['swaps'][band]['frames']}" for band in bands)]
            + [row["blinks"], row["blinks_monotone"], row["blinks_below_shut"], *row["winks"].values()]
            for name, row in rows.items()
        ],
    )
    lines += ["", f"blinks that turn back by more than {MONOTONE:g} or stay above {SHUT:g}"]
    lines += table(
        ["clip", "eye", "start", "lowest", "end", "openness", "back"],
        [
            [
                b["clip"],
                b["eye"],
                b["start"],
                b["lowest"],
                b["end"],
                f"{b['openness']:.3f}",
                f"{b['back']:.3f}",
            ]
            for b in figures["all"]["exceptions"]
        ],
    )
    for variant in figures["all"]["variants_pct"]:
        lines += ["", f"{variant} against full, mean/p95 in %, and the share of faces lost"]
        lines += table(
            ["clip", *KINDS, "lost"],
            [
                [name, *(pair(seen[kind], "mean", "p95") for kind in KINDS)]
                + ["-" if seen["face"]["lost_share"] is None else f"{seen['face']['lost_share']:.2f}"]
                for name, seen in ((name, row["variants_pct"][variant]) for name, row in rows.items())
            ],
        )
    hardware, versions = figures["hardware"], figures["versions"]
    lines += [
        "",
        f"{hardware['cpu']}, {figures['threads']} thread(s), {figures['backend']} {figures['precision']}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    return "\n".join(lines)


def pair(values: dict[str, Any], first: str, second: str) -> str:
    return "-" if values[first] is None else f"{values[first]:.2f}/{values[second]:.2f}"


def table(head: list[str], rows: list[list[Any]]) -> list[str]:
    cells = [head, *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    return [
        "  ".join(f"{value:<{w}}" for value, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
