"""What recognisers, and dmask itself, see of originals, of their masks, and of obscured originals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.evaluate.linkage import obscured, recognisers
from dmask.evaluate.linkage.releases import made_pipelines, name_of
from dmask.evaluate.linkage.shards import Rows
from dmask.evaluate.linkage.signs import measured

if TYPE_CHECKING:
    from dmask.evaluate.linkage.recognisers import Recogniser


@cache
def loaded(name: str) -> Recogniser:
    return recognisers.read(name)


def faces_of(items: Sequence[tuple[Path, np.ndarray]], settings: dict[str, Any]) -> Rows:
    """`R` (N, E) of originals by each recogniser R. An item is a picture and its landmarks, (68, 2) px."""
    from dmask.io.picture import read_named

    pictures = [(read_named(path), points) for path, points in items]
    return {
        name: np.stack([loaded(name).embed(picture, points) for picture, points in pictures])
        for name in settings["recognisers"]
    }


def disguises_of(items: Sequence[tuple[Any, ...]], settings: dict[str, Any]) -> Rows:
    """Of each way W to disguise a picture, a profile or one that obscures it: `W/R` (N, E) by each recogniser
    R, `W/found` (N,) whether a face is found, `W/eyes` (N, 2, 3) opening and gaze that dmask reads there.

    An item is a picture, its landmarks, and those of its mask by profile.
    """
    from dmask.io.picture import read_named

    profiles = settings["profiles"]
    pipeline = made_pipelines(("article",), tuple(sorted(settings["options"].items())))["article"]
    rows: dict[str, list[Any]] = {}
    for path, points, *of_masks in items:
        original = read_named(path)
        ways = {name: (method(original, points), points) for name, method in obscured.METHODS.items()}
        for profile, at in zip(profiles, of_masks, strict=True):
            ways[profile] = (read_named(Path(settings["masks"]) / profile / name_of(path)), at)
        for way, (picture, at) in ways.items():
            for name in settings["recognisers"]:
                rows.setdefault(f"{way}/{name}", []).append(loaded(name).embed(picture, at))
            pipeline.reset()
            detection = pipeline.detect(picture, 0.0)
            pipeline.calibrate([detection])
            rows.setdefault(f"{way}/found", []).append(detection.face_found)
            rows.setdefault(f"{way}/eyes", []).append(measured(pipeline.fit(detection)))
    return {name: np.array(values) for name, values in rows.items()}


def places(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(N, 68, 2) px: landmarks; where no face was found, where they lie in other pictures of that size."""
    shares = points / sizes[:, None]
    found = np.isfinite(shares).all((1, 2))
    if not found.any():
        raise ValueError("got pictures without a single face")
    usual = np.median(shares[found], 0)
    return np.where(found[:, None, None], points, usual * sizes[:, None]).astype(np.float32)
