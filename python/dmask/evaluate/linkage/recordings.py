"""What recordings tell of how somebody moves, release by release, and who is found by it among others.

Motion of the table and of the mask, and summary.json: numbers that do not depend on when. An attacker learns
from pairs of other people's recordings what stays with a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dmask.errors import Error
from dmask.evaluate.linkage.attackers import Chosen
from dmask.evaluate.linkage.attacks import LEAST_PEOPLE, Attack, attacked, exchanged
from dmask.evaluate.linkage.crossed import crossed_pairs
from dmask.evaluate.linkage.motion import motion_features, table
from dmask.evaluate.linkage.originals import Pair
from dmask.evaluate.linkage.shards import Rows
from dmask.io.tables import EYES, FRAME_COLUMNS, Columns, frame_row, values_row
from dmask.measure.summary import summarise
from dmask.run.recording import sums_moments

if TYPE_CHECKING:
    from dmask._core import FrameDetection, Pipeline

RELEASES = {
    "clinical": {"profile": "clinical"},
    "clinical, coarse time": {"profile": "clinical", "coarse_time": "on"},
    "article": {"profile": "article"},
    "strict": {"profile": "strict"},
    "strict, coarse time": {"profile": "strict", "coarse_time": "on"},
}
FEATURES = (10, 30, 100)  # that an attacker goes by
MOST_FRAMES = 1800  # a minute
FOLDS = 10
LEAST_S = 5.0  # what is shorter tells little of how somebody moves


class Released(NamedTuple):
    """What leaves of one recording: columns of frames.csv, (F,) each, and (F, D) rows of its track."""

    columns: dict[str, np.ndarray]
    rows: np.ndarray
    moments: dict[str, np.ndarray]  # of which the summary is made; those of the columns but for coarse time

    def part(self, frames: slice) -> Released:
        def of(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: values[frames] for name, values in columns.items()}

        return Released(of(self.columns), self.rows[frames], of(self.moments))


def released(pipeline: Pipeline, detections: Sequence[FrameDetection]) -> Released:
    """Calibrated with all of them. Raises Error."""
    pipeline.calibrate(list(detections))
    columns, moments, rows = Columns(FRAME_COLUMNS), Columns(FRAME_COLUMNS), []
    for number, detection in enumerate(detections):
        result = pipeline.fit(detection)
        columns.add(frame_row(number, result))
        if sums_moments(pipeline):
            moments.add(values_row(number, pipeline.unreleased_moment()))
        rows.append(result.track_row)
    told = columns.arrays()
    return Released(told, np.array(rows), moments.arrays() if sums_moments(pipeline) else told)


def motion(one: Released, tells_blinks: bool = True) -> dict[str, float]:
    """Features by name, NaN where nothing is to be told."""
    found = motion_features(one.columns, one.rows, unit_names())
    return found | summary_numbers(one.moments, tells_blinks)


@cache
def unit_names() -> tuple[str, ...]:
    from dmask import _core, environment

    return tuple(_core.Models(str(environment.MODELS_DIR)).unit_names)


def summary_numbers(columns: dict[str, np.ndarray], tells_blinks: bool) -> dict[str, float]:
    import dmask

    summary = summarise(columns, dmask.Options().released(), tells_blinks=tells_blinks)
    told = {name: summary[name] for name in (*EYES, "face", "deviation_os_minus_od")}
    return {f"summary:{name}": value for name, value in leaves(told)}


def leaves(content: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, f"{name}.{key}")
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield name, float(content)


def varying(names: list[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Without what is the same of everybody, or withheld."""
    known = np.isfinite(values)
    lowest = np.min(np.where(known, values, np.inf), 0)
    highest = np.max(np.where(known, values, -np.inf), 0)
    kept = np.flatnonzero(known.any(0) & ((highest > lowest) | ~known.all(0)))
    return [names[k] for k in kept], values[:, kept]


# ---- Of files, and attackers of them.


def recordings_of(items: Sequence[tuple[Path]], settings: dict[str, Any]) -> Rows:
    """Rows of videos: of each release (N,) texts, its features of the whole, the first and the second half;
    `seconds`, (N,), and `seen`, (N,), the share of frames with the patient's face.

    Settings: `options` of the pipelines beside the profile.
    """
    import dmask

    rows: dict[str, list[Any]] = {name: [] for name in (*RELEASES, "seconds", "seen")}
    pipelines = {
        name: dmask.Pipeline(dmask.Options(**settings["options"] | release))
        for name, release in RELEASES.items()
    }
    first = pipelines["clinical"]
    for path, *_ in items:
        detections = detected(path, first, int(settings["options"].get("threads", 1)))
        half = len(detections) // 2
        for name, pipeline in pipelines.items():
            pipeline.reset()
            one = released(pipeline, detections)
            parts = (one, one.part(slice(0, half)), one.part(slice(half, None)))
            rows[name].append(json.dumps([motion(part, pipeline.tells_blinks) for part in parts]))
        seconds = one.columns["time_s"]
        rows["seconds"].append(float(seconds[-1] - seconds[0]) if seconds.size else 0.0)
        rows["seen"].append(float(np.mean(one.columns["face_valid"])) if seconds.size else 0.0)
    return {name: np.array(values) for name, values in rows.items()}


def detected(path: Path, pipeline: Pipeline, threads: int) -> list[FrameDetection]:
    from dmask.io.source import open_source

    pipeline.reset()
    try:
        source = open_source(path, threads, False)
        try:
            return [
                pipeline.detect(frame.bgr, frame.time_s)
                for _, frame in zip(range(MOST_FRAMES), source, strict=False)
            ]
        finally:
            source.close()
    except Error as error:
        raise Error(f"{path}: {error}") from None


def doubts_of(rows: Rows) -> list[str]:
    """What makes figures of these recordings say little."""
    short, unseen = int((rows["seconds"] < LEAST_S).sum()), int((rows["seen"] < 0.5).sum())
    found = []
    if short:
        found.append(f"{short} of {len(rows['seconds'])} recordings are shorter than {LEAST_S:g} seconds")
    if unseen:
        found.append(f"in {unseen} of {len(rows['seen'])} recordings the face is not seen half of the time")
    return found


def motion_attacks(rows: Rows, across: list[Pair], everybody: list[int]) -> Iterator[Attack]:
    """Of each release: a recording looked for among those of another session, and its first half among the
    second halves; `everybody` are recordings of one person each."""
    for name in (name for name in RELEASES if name in rows):
        parts = [json.loads(text) for text in rows[name]]
        sides = {
            "other": [[parts[pair[end]][0] for pair in across] for end in (0, 1)],
            "the same recording": [[parts[i][half] for i in everybody] for half in (1, 2)],
        }
        for session, (first, second) in sides.items():
            if len(first) < LEAST_PEOPLE:
                continue
            _, values = varying(*table([*first, *second]))
            a, b = values[: len(first)], values[len(first) :]
            for count in FEATURES:
                score = partial(by_motion, a, b, count)
                pairs = [Pair(i, i) for i in range(len(a))]
                yield attacked((name, "motion", f"{count} features", "masks", session), pairs, score)


def by_motion(first: np.ndarray, second: np.ndarray, count: int, control: bool) -> np.ndarray:
    """(N, N); the control is taught pairs of two people."""
    if not first.shape[1]:  # nothing of it varies
        return np.zeros((len(first), len(first)))
    return crossed_pairs(first, exchanged(second, control), partial(Chosen, count=count), FOLDS)
