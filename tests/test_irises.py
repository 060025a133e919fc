"""Irises of photographs: nets that learnt apart, from photographs and from renders, have to agree on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import dmask
from dmask.io.tables import EYES

PICTURES = 60
LEAST_CONFIDENCE = 0.5
MOST_APART_PCT = 0.8  # of the distance between the eyes' centres: half a millimetre


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[np.ndarray]:
    folder = shared / "data" / "faces68" / "afw" / "images"
    if not folder.is_dir():
        pytest.skip(f"needs photographs of faces: {folder} is not there")
    return [cv2.imread(str(path)) for path in sorted(folder.iterdir())[:PICTURES]]


def irises(photographs: list[np.ndarray], weights: str) -> np.ndarray:
    """(P, 2, 2) px of the pictures, by eye; NaN where an eye is not seen."""
    pipeline = dmask.Pipeline(dmask.Options(backend="cpu", weights=weights))
    found = np.full((len(photographs), 2, 2), np.nan)
    for k, picture in enumerate(photographs):
        pipeline.reset()
        detection = pipeline.detect(picture, 0.0)
        for e, eye in enumerate(EYES):
            centre = getattr(detection, eye).iris[0]
            if detection.face_found and centre[2] >= LEAST_CONFIDENCE:
                found[k, e] = centre[:2]
    return found


def test_both_sets_of_weights_see_irises_in_one_place(photographs):
    research, rendered_alone = (irises(photographs, weights) for weights in ("research", "open"))
    across = research[:, 1] - research[:, 0]  # from OD to OS: to the right in the picture
    size = np.linalg.norm(across, axis=1)
    up = np.stack([across[:, 1], -across[:, 0]], 1) / size[:, None]
    along = np.stack([across / size[:, None], up], 1)
    apart_pct = 100 * np.einsum("pac,pec->pea", along, research - rendered_alone) / size[:, None, None]
    apart_pct[:, 0, 0] *= -1  # outwards, of both eyes
    apart_pct = apart_pct[np.isfinite(apart_pct).all((1, 2))].reshape(-1, 2)
    assert len(apart_pct) > PICTURES
    assert np.abs(np.median(apart_pct, axis=0)).max() < MOST_APART_PCT
