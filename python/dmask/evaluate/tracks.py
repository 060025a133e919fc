"""The landmarks of a recording as arrays over time, as the detectors give them: nothing is smoothed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmask.arrays import Floats
from dmask.evaluate.jitter import PictureMotion
from dmask.io.tables import EYE_POINTS, EYES, LANDMARK_NAMES

if TYPE_CHECKING:
    from dmask._core import FrameDetection, Pipeline

CALIBRATION_FRAMES = 300  # of the clip's start; `dmask run` scans up to 900


def _columns() -> dict[str, NDArray[np.int64]]:
    """Columns of the 306 points: `face`, of it `jaw` and `inner_face`, `od_lid` …, of both eyes `lid` …"""
    columns = {"face": np.arange(68), "jaw": np.arange(17), "inner_face": np.arange(17, 68)}
    first = 68
    for eye in EYES:
        for part, count in EYE_POINTS.items():
            columns[f"{eye}_{part}"] = np.arange(first, first + count)
            first += count
        columns[eye] = np.arange(first - sum(EYE_POINTS.values()), first)
    for part in EYE_POINTS:
        columns[part] = np.r_[columns[f"od_{part}"], columns[f"os_{part}"]]
    columns["iris_centre"] = columns["iris"][[0, 19]]
    columns["limbus"] = np.delete(columns["iris"], [0, 19])
    return columns


COLUMNS = _columns()
POINTS = len(LANDMARK_NAMES)


class Tracks(NamedTuple):
    """Points and confidence are NaN where there is no face."""

    time_s: Floats  # (F,)
    points: Floats  # (F, 306, 2) px
    confidence: Floats  # (F, 306)
    motion: Floats  # (F, 306, 2) px, of the picture at the points since the frame before
    changed: Floats  # (F,) share of the face's pixels that differ from the frame before
    yaw_deg: Floats  # (F,) of the head, NaN where it was not fitted


def follow(path: Path, pipeline: Pipeline, limit: int | None = None, threads: int = 1) -> Tracks:
    """The landmarks of the frames of a video, up to `limit`. Raises Error where it cannot be read."""
    from dmask.io.source import open_source

    pipeline.reset()
    picture, detections, rows = PictureMotion(), [], []
    places = np.zeros((POINTS, 2))
    reader = open_source(path, threads)
    for frame in reader:
        detection = pipeline.detect(frame.bgr, frame.time_s)
        detections.append(detection)
        points = all_points(detection)
        motion, changed = picture.step(frame.bgr, places[:68], places)
        if detection.face_found:
            places = points[:, :2]
        rows.append((frame.time_s, points[:, :2], points[:, 2], motion, changed))
        if len(rows) == limit:
            break
    reader.close()
    pipeline.calibrate(detections[:CALIBRATION_FRAMES])
    results = [pipeline.fit(detection) for detection in detections]
    yaw_deg = [result.head_yaw_deg if result.face_valid else np.nan for result in results]
    columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]
    return Tracks(columns[0], columns[1], columns[2], columns[3], columns[4], np.array(yaw_deg))


def all_points(detection: FrameDetection) -> Floats:
    """(306, 3) x, y, confidence in the order of LANDMARK_NAMES; NaN without a face."""
    if not detection.face_found:
        return np.full((POINTS, 3), np.nan)
    parts = [detection.face]
    parts += [getattr(eye, part) for eye in (detection.od, detection.os) for part in EYE_POINTS]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def interocular(points: Floats) -> Floats:
    """Distance (...,) px between the outer eye corners of (..., 306, 2) points."""
    distance: Floats = np.linalg.norm(points[..., 45, :] - points[..., 36, :], axis=-1)
    return distance
