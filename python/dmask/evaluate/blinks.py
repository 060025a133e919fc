"""`dmask eval blinks`: blinks counted in lid courses whose blinks are known.

The courses are drawn (`dmask.synthetic.lids`): the counting alone is measured, not how well openness is.
With --rendered patients are rendered besides, and measured from the frames up.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.measure.blinks import COMPLETE, Blink, find_blinks
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.ranges import number, whole
from dmask.synthetic.lids import EYES, MIXTURES, LidEvent, LidRecording, lid_recording

if TYPE_CHECKING:
    from dmask._core import Pipeline

RATES_FPS = (10, 15, 20, 25, 30, 60)
VARIABLE_FPS = 25  # on average
SEED = 1  # thresholds were set on seed 0
APART_S = 0.1  # a blink that was found may lie this far beside the true one
RENDERED = 99  # seeds of the patients, apart from those of the courses
RENDERED_PX = 400
RENDERED_FPS = (30, 60)
RENDERED_S = 12.0  # at most: a frame takes far longer than the counting
RENDERED_NOISE_SD = 3.0  # grey levels
RENDERED_KINDS = ("smiles", "mixed", "winks", "half", "double")
UNSEEN_S = 0.3  # a true blink that is hidden for longer counts neither way

Finder = Callable[[np.ndarray, np.ndarray], tuple[list[Blink], list[Blink]]]


@dataclass
class Count:
    found: int = 0
    wrong: int = 0
    missed: int = 0
    graded: int = 0  # of those found, rightly called complete or partial

    def add(self, other: Count) -> None:
        self.found += other.found
        self.wrong += other.wrong
        self.missed += other.missed
        self.graded += other.graded

    def figures(self) -> dict[str, float | int | None]:
        return {
            "true": self.found + self.missed,
            "precision": share(self.found, self.found + self.wrong),
            "recall": share(self.found, self.found + self.missed),
            "f1": share(2 * self.found, 2 * self.found + self.wrong + self.missed),
            "completeness_right": share(self.graded, self.found),
        }


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def compare(recording: LidRecording, eye: str, finder: Finder = find_blinks) -> tuple[Count, Count]:
    """Blinks, and longer closures, of one eye against the truth.

    What the ends of the recording cut, or a gap hides, counts neither way.
    """
    found = finder(recording.time_s, recording.openness[eye])
    seen_s = recording.time_s[np.isfinite(recording.openness[eye])]
    true = recording.blinks(eye)
    doubtful = [event for event in true if not in_sight(event, seen_s)]
    counts = []
    for blinks, closure in zip(found, (False, True), strict=True):
        wanted = [event for event in true if event not in doubtful and (event.kind == "closure") == closure]
        counts.append(matched(blinks, wanted, doubtful, EYES.index(eye)))
    return counts[0], counts[1]


def in_sight(event: LidEvent, seen_s: np.ndarray) -> bool:
    """Whether the lid was seen before, during and after it."""
    if event.start_s < seen_s[0] or event.end_s > seen_s[-1]:
        return False
    first = max(0, int(np.searchsorted(seen_s, event.start_s)) - 1)
    last = int(np.searchsorted(seen_s, event.end_s))
    return bool(np.diff(seen_s[first : last + 1]).max() < UNSEEN_S)


def matched(blinks: list[Blink], wanted: list[LidEvent], doubtful: list[LidEvent], number: int) -> Count:
    """Each true blink is found once, by the blink that lies nearest among those that overlap it; `number` is
    the eye's."""
    left, count = list(blinks), Count()
    for event in wanted:
        middle_s = event.start_s + event.closing_s + 0.5 * event.shut_s
        near = [blink for blink in left if overlaps(blink, event)]
        if near:
            nearest = min(near, key=lambda blink: abs(0.5 * (blink.start_s + blink.end_s) - middle_s))
            left.remove(nearest)
            count.found += 1
            count.graded += nearest.complete == (event.amounts[number] >= COMPLETE)
        else:
            count.missed += 1
    count.wrong = sum(not any(overlaps(blink, event) for event in doubtful) for blink in left)
    return count


def overlaps(blink: Blink, event: LidEvent) -> bool:
    return blink.start_s <= event.end_s + APART_S and event.start_s <= blink.end_s + APART_S


def recordings(seed: int, number: int, duration_s: float) -> Iterable[tuple[str, LidRecording]]:
    """(frame rate, recording): `number` of each kind at each rate."""
    rates = [(f"{rate} fps", rate, False) for rate in RATES_FPS]
    rates.append(("variable", VARIABLE_FPS, True))
    for k, kind in enumerate(MIXTURES):
        for r, (name, rate_fps, variable) in enumerate(rates):
            for n in range(number):
                random = np.random.default_rng([seed, k, r, n])
                yield name, lid_recording(random, kind, duration_s, rate_fps, variable)


def score(named: Iterable[tuple[str, LidRecording]], finder: Finder = find_blinks) -> dict[str, Any]:
    """Precision, recall and F1 by kind and by frame rate, of both eyes."""
    table: dict[str, dict[str, Count]] = {}
    closures = Count()
    for rate, recording in named:
        for eye in EYES:
            blinks, closed = compare(recording, eye, finder)
            closures.add(closed)
            for row in (recording.kind, "all"):
                for column in (rate, "all"):
                    table.setdefault(row, {}).setdefault(column, Count()).add(blinks)
    return {
        "blinks": {
            row: {column: count.figures() for column, count in columns.items()}
            for row, columns in table.items()
        },
        "longer_closures": closures.figures(),
    }


def rendered(
    pipeline: Pipeline, patients: int, seed: int, seconds: float
) -> Iterable[tuple[str, LidRecording]]:
    """Recordings whose openness the pipeline measured on rendered patients that move their lids so."""
    from dmask.synthetic import Pose, SyntheticPatient

    for n in range(patients):
        random = np.random.default_rng([seed, RENDERED, n])
        rate_fps = RENDERED_FPS[n % len(RENDERED_FPS)]
        kind = RENDERED_KINDS[n // len(RENDERED_FPS) % len(RENDERED_KINDS)]
        recording = lid_recording(random, kind, seconds, rate_fps)
        patient = SyntheticPatient(n, (RENDERED_PX, RENDERED_PX))
        pipeline.reset()
        detections = []
        for frame_number, time_s in enumerate(recording.time_s.tolist()):
            pose = Pose(head_yaw_deg=5 * np.sin(time_s), head_pitch_deg=3 * np.sin(0.7 * time_s))
            for eye in EYES:
                setattr(pose, f"{eye}_closure", float(recording.closure[eye][frame_number]))
            frame = patient.render(pose)[0]
            noisy = np.clip(frame + random.normal(0, RENDERED_NOISE_SD, frame.shape), 0, 255)
            detections.append(pipeline.detect(noisy.astype(np.uint8), time_s))
        pipeline.calibrate(detections)
        results = [pipeline.fit(detection) for detection in detections]
        for eye in EYES:
            recording.openness[eye] = np.array([getattr(result, eye).openness for result in results])
        yield f"{rate_fps} fps", recording


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=SEED, metavar="N", help="of what is drawn")
    parser.add_argument(
        "--recordings", type=whole(1), default=6, metavar="N", help="of each kind and frame rate"
    )
    parser.add_argument("--rendered", type=whole(0), default=0, metavar="N", help="render N patients besides")
    parser.add_argument(
        "--seconds", type=number(5, 3600), default=40.0, metavar="S", help="of each recording"
    )
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    figures = score(recordings(args.seed, args.recordings, args.seconds))
    if args.rendered:
        pipeline = make_pipeline(core_options(args))
        seconds = min(args.seconds, RENDERED_S)
        figures["rendered"] = score(rendered(pipeline, args.rendered, args.seed, seconds))
    return {"seed": args.seed} | figures


def as_text(figures: dict[str, Any]) -> str:
    lines = table_lines(figures)
    if "rendered" in figures:
        lines += ["", "of rendered patients, from the frames up", *table_lines(figures["rendered"])]
    return "\n".join(lines)


def table_lines(figures: dict[str, Any]) -> list[str]:
    table = figures["blinks"]
    columns = [column for column in table["all"] if column != "all"]
    head = f"{'kind':<10}{'blinks':>8}{'precis.':>9}{'recall':>8}{'F1':>8}{'complete':>10}"
    lines = [head + "".join(f"{'F1 ' + column:>12}" for column in columns)]
    for kind in [*(name for name in table if name != "all"), "all"]:
        row = table[kind]
        rates = "".join(f"{shown(row[column]['f1'] if column in row else None):>12}" for column in columns)
        lines.append(f"{kind:<10}{cells(row['all'])}{rates}")
    return [*lines, f"{'closures':<10}{cells(figures['longer_closures'])}   longer ones, counted apart"]


def cells(count: dict[str, Any]) -> str:
    precision, recall, f1, graded = (
        shown(count[name]) for name in ("precision", "recall", "f1", "completeness_right")
    )
    return f"{count['true']:>8}{precision:>9}{recall:>8}{f1:>8}{graded:>10}"


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
