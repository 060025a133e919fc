"""What an attacker gets of a picture under a profile: the mask's pixels, and every number of its files.

An attacker has dmask: he knows what each number means, makes releases of other people as he likes, and turns
a mask's head straight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dmask.axes import HEAD_TO_CAMERA
from dmask.evaluate.linkage.shards import Rows
from dmask.evaluate.linkage.signs import measured

if TYPE_CHECKING:
    from dmask._core import FrameResult, MaskRenderer, Models, Pipeline

PROFILES = ("clinical", "article", "strict")
THUMB_PX = 64  # of the mask as an attacker looks at it, a side
POINTS = 68
DISTANCES = ("", "near", "intermediate", "far")
TURN, PLACE = slice(1, 4), slice(4, 7)  # of a track's row


def releases_of(items: Sequence[tuple[Path]], settings: dict[str, Any]) -> Rows:
    """Rows of pictures: `face` (N,), `points` (N, 68, 2) px, `size` (N, 2) px; of each profile P `P_numbers`
    (N, D), NaN where a cell is empty, `P_mask` and `P_straight` (N, THUMB_PX, THUMB_PX) uint8, `P_points`
    (N, 68, 2) px of the mask, `P_eyes` (N, 2, 3) opening and gaze.

    Settings: `options` of the pipelines beside the profile, `profiles`, `masks`: the folder for the masks as
    PNG, or None. Without a face every number is NaN and the mask plain: such a picture is scored, and not
    dropped.
    """
    from dmask.io.picture import read_named

    profiles = tuple(settings["profiles"])
    pipelines = made_pipelines(profiles, tuple(sorted(settings["options"].items())))
    first = pipelines[profiles[0]]
    rows: dict[str, list[Any]] = {}

    def keep(name: str, value: Any) -> None:
        rows.setdefault(name, []).append(value)

    for path, *_ in items:
        picture = read_named(path)
        first.reset()
        detection = first.detect(picture, 0.0)
        keep("face", detection.face_found)
        keep(
            "points",
            detection.face[:, :2] if detection.face_found else np.full((POINTS, 2), np.nan, np.float32),
        )
        keep("size", picture.shape[1::-1])
        for profile in profiles:
            pipeline = pipelines[profile]
            if pipeline is not first:
                pipeline.reset()
            pipeline.calibrate([detection])
            result = pipeline.fit(detection)
            mask = pipeline.render(result)
            keep(f"{profile}_numbers", numbers_of(pipeline, result))
            keep(f"{profile}_mask", seen(mask))
            keep(f"{profile}_straight", seen(turned_straight(pipeline, result, mask.shape)))
            keep(f"{profile}_points", points_of(pipeline, result, mask.shape))
            keep(f"{profile}_eyes", measured(result))
            if settings["masks"]:
                save(Path(settings["masks"]) / profile / name_of(path), mask)
    return {name: np.array(values) for name, values in rows.items()}


@cache
def made_pipelines(profiles: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> dict[str, Pipeline]:
    import dmask

    return {name: dmask.Pipeline(dmask.Options(**dict(options) | {"profile": name})) for name in profiles}


@cache
def face_models() -> Models:
    import dmask
    from dmask import _core

    return _core.Models(dmask.Options().models_dir)


def name_of(path: Path) -> str:
    """Of a mask: a picture's own, and what tells it from another folder's."""
    return f"{path.stem}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}.png"


def save(path: Path, mask: np.ndarray) -> None:
    from dmask.io.picture import write_png

    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, mask)


def numbers_of(pipeline: Pipeline, result: FrameResult) -> np.ndarray:
    """(D,) of frames.csv, track.dmask and the calibration; words as the numbers of their kinds."""
    return np.concatenate([values for _, values in named_numbers(pipeline, result)])


def named_numbers(pipeline: Pipeline, result: FrameResult) -> list[tuple[str, np.ndarray]]:
    """The same in parts, by name: of frames.csv, of the calibration, of the track's subject and its row."""
    parts: list[tuple[str, Any]] = [
        (name, number_of(name, value))
        for name, value in result.to_dict().items()
        if name not in ("time_s", "mask")
    ]
    calibration, subject = pipeline.calibration, pipeline.subject
    parts += [
        ("calibration_scale", calibration.scale),
        ("calibration_iris_radius_mm", calibration.iris_radius_mm),
        ("calibration_eye_centre_sd_mm", calibration.eye_centre_sd_mm),
        ("scale", subject.scale),
        ("identity", subject.identity),
    ]
    for name, eye in (("od", subject.od), ("os", subject.os)):
        place = [*eye.centre_mm, *eye.patch_offset_mm, eye.patch_roll_rad, eye.iris_radius_mm]
        parts += [(f"{name}_lid_shape", eye.shape), (f"{name}_place", place)]
    row = np.asarray(result.track_row, np.float64)
    row = row if result.face_valid else np.full(row.size, np.nan)
    units, motions = len(face_models().unit_names), face_models().eyelid_motions
    at = np.cumsum([1, 3, 3, units, 3, motions, 3, motions])
    names = ("face", "turn", "translation", "units", "od_look", "od_lid_motion", "os_look", "os_lid_motion")
    parts += zip(names, np.split(row, at[:-1]), strict=True)
    return [(name, np.ravel(np.asarray(value, np.float64))) for name, value in parts]


def columns_of_numbers() -> dict[str, slice]:
    """Where each part of numbers_of() is."""
    import dmask

    pipeline = dmask.Pipeline(dmask.Options(backend="cpu"))
    nothing = pipeline.detect(np.zeros((64, 64, 3), np.uint8), 0.0)
    pipeline.calibrate([nothing])
    parts = named_numbers(pipeline, pipeline.fit(nothing))
    ends = np.cumsum([len(values) for _, values in parts])
    return {name: slice(end - len(values), end) for (name, values), end in zip(parts, ends, strict=True)}


def number_of(name: str, value: Any) -> float:
    if not isinstance(value, str):
        return float(value)
    if name == "distance":
        return float(DISTANCES.index(value))
    return float(sum(value.encode()))  # a reason: any number that tells it from the others


def turned_straight(pipeline: Pipeline, result: FrameResult, shape: tuple[int, ...]) -> np.ndarray:
    """The mask as whoever has the track draws it: the head straight, its eyes where they were."""
    from dmask import _core

    row = np.array(result.track_row, np.float32)
    subject = pipeline.subject
    if result.face_valid:
        middle = 0.5 * (subject.od.centre_mm + subject.os.centre_mm)
        row[PLACE] += (rotation_of(row) - HEAD_TO_CAMERA) @ middle
        row[TURN] = 0
    own = subject.profile == "article"
    renderer = _core.MaskRenderer(subject, models_dir()) if own else renderer_of_nobody(pipeline)
    return np.asarray(renderer.render(row, shape[1], shape[0]), np.uint8)


@cache
def renderer_of_nobody(pipeline: Pipeline) -> MaskRenderer:
    """The subject of such a profile is the same one always; to make its renderer takes as long as a fit."""
    from dmask import _core

    return _core.MaskRenderer(pipeline.subject, models_dir())


@cache
def models_dir() -> str:
    import dmask

    return str(dmask.Options().models_dir)


def rotation_of(row: np.ndarray) -> np.ndarray:
    """(3, 3) from the head's axes to the camera's."""
    return np.asarray(HEAD_TO_CAMERA @ cv2.Rodrigues(np.asarray(row[TURN], np.float64))[0])


def points_of(pipeline: Pipeline, result: FrameResult, shape: tuple[int, ...]) -> np.ndarray:
    """(68, 2) px of the mask's own landmarks; NaN without a face."""
    if not result.face_valid:
        return np.full((POINTS, 2), np.nan, np.float32)
    row, subject = np.asarray(result.track_row, np.float64), pipeline.subject
    rotation = rotation_of(row)
    head = face_models().landmarks(subject.identity, result.units, rotation, row[PLACE] / subject.scale)
    camera = subject.scale * head @ rotation.T + row[PLACE]
    height, width = shape[:2]
    focal_px = 0.5 * width / np.tan(np.radians(subject.hfov_deg / 2))
    px = focal_px * camera[:, :2] / camera[:, 2:] + 0.5 * (np.array([width, height]) - 1)
    return np.asarray(px, np.float32)


def seen(mask: np.ndarray) -> np.ndarray:
    """As an attacker scales it: the middle square, grey."""
    grey = cv2.cvtColor(mask, cv2.COLOR_BGR2GRAY)
    side = min(grey.shape)
    y, x = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    middle = grey[y : y + side, x : x + side]
    return np.asarray(cv2.resize(middle, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA), np.uint8)
