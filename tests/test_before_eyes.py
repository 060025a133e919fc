"""Test covers: a thing held before an eye hides its pupil, and the count of covered eyes is right."""

from __future__ import annotations

import numpy as np
import pytest

from dmask import _core
from dmask.evaluate import covered
from dmask.synthetic.occluders.before_eyes import THINGS, Eye, eye_touched, pupil_hidden, put_before

OD = Eye(np.array([130.0, 120]), np.array([80.0, 118]), np.array([104.0, 118]), 11.0)
OS = Eye(np.array([190.0, 120]), np.array([240.0, 118]), np.array([215.0, 118]), 11.0)


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_before_an_eye_hides_it_and_what_it_hides_looks_different(name):
    frame = np.full((240, 320, 3), (90, 120, 170), np.uint8)
    hidden = 0
    for seed in range(6):
        out, mask = put_before(frame, OD, name, False, np.random.default_rng(seed))
        assert out.shape == frame.shape and out.dtype == np.uint8
        assert mask.min() >= 0 and mask.max() <= 1
        far = mask == 0
        far[1:-1, 1:-1] &= np.abs(out[1:-1, 1:-1].astype(int) - out[2:, 1:-1]).max(-1) < 3  # no edge near
        assert np.median(np.abs(out[far].astype(int) - frame[far])) <= 2
        hidden += pupil_hidden(mask, OD) > 0.97
    assert hidden >= 4


def test_a_thing_pushed_aside_often_leaves_the_pupil_free():
    frame = np.full((240, 320, 3), 120, np.uint8)
    truths = []
    for seed in range(40):
        _, mask = put_before(frame, OD, "card", True, np.random.default_rng(seed))
        truths.append(covered.what_is_true(mask, OD))
    assert {"hidden", "partly"} <= set(truths)


def test_what_touches_an_eye_is_told_from_what_does_not():
    mask = np.zeros((240, 320), np.float32)
    assert not eye_touched(mask, OD) and pupil_hidden(mask, OD) == 0
    mask[:, 150:] = 1
    assert covered.what_is_true(mask, OS) == "hidden" and covered.what_is_true(mask, OD) == "open"
    mask[:, 110:] = 1
    assert covered.what_is_true(mask, OD) == "partly"


def test_shares_are_counted_by_truth_and_thing():
    def seen(truth: str, thing: str, confidence: float) -> covered.Seen:
        detection = _core.FrameDetection()
        detection.face[8, 1] = 90.0  # the chin, below
        along = np.linspace(0, 50, 11)
        detection.od.lid[:, 0] = np.r_[along, along[-2:0:-1]]
        detection.od.lid[11:, 1] = 8.0
        detection.od.lid[:, 2] = detection.od.iris[:, 2] = confidence
        reason, gaze = _core.in_sight(detection, 0)
        return covered.Seen("rendered", thing, truth, reason, gaze, set(), "a")

    eyes = [seen("hidden", "card", 0.02)] * 3 + [seen("hidden", "hand", 0.95), seen("open", "nothing", 0.98)]
    figures = covered.summarise(eyes, "rendered")
    assert figures["rendered: hidden, called covered, %"] == 75
    assert figures["rendered: hidden (hand), called covered, %"] == 0
    assert figures["rendered: open, called covered, %"] == 0
    assert (
        figures["rendered: hidden, with a gaze, %"] == 25 and figures["rendered: open, with a gaze, %"] == 100
    )
