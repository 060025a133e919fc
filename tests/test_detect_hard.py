"""The detectors where it is hard, on rendered faces: small, turned, rolled, grey, dim, shut."""

import cv2
import numpy as np
import pytest

import dmask
from dmask import _core
from dmask.crops import LUMA, exposure_gain
from dmask.environment import MODELS_DIR
from dmask.evaluate.lid_course import openness
from dmask.evaluate.stability import swapped
from dmask.evaluate.tracks import COLUMNS, all_points, interocular
from dmask.evaluate.variants import face_width
from dmask.synthetic import Pose, SyntheticPatient
from dmask.synthetic.scenes import dimmed

SIZE_PX = 512


@pytest.fixture(scope="module")
def pipeline():
    options = dmask.Options()
    options.models_dir, options.precision = str(MODELS_DIR), "f32"
    return dmask.Pipeline(options)


@pytest.fixture(scope="module")
def patient():
    return SyntheticPatient(seed=3, size=(SIZE_PX, SIZE_PX))


@pytest.fixture(scope="module")
def frontal(patient):
    return patient.render(Pose(head_yaw_deg=5, od_yaw_deg=-5, os_yaw_deg=-5))[0]


def first_look(pipeline, frame) -> np.ndarray:
    """(306, 2) px, NaN without a face; nothing is known from before."""
    pipeline.reset()
    return all_points(pipeline.detect(np.ascontiguousarray(frame), 0.0))[:, :2]


def apart_pct(found: np.ndarray, expected: np.ndarray, part: str) -> float:
    """Mean distance of the points of a kind in % of the outer eye corners."""
    at = COLUMNS[part]
    return 100 * np.linalg.norm(found[at] - expected[at], axis=1).mean() / interocular(expected)


@pytest.mark.parametrize(("width_px", "face_pct", "eye_pct"), [(90, 0.6, 0.9), (60, 1.0, 1.4)])
def test_a_small_face_keeps_its_landmarks(pipeline, frontal, width_px, face_pct, eye_pct):
    full = first_look(pipeline, frontal)
    side = round(SIZE_PX * width_px / face_width(full))
    small = first_look(pipeline, cv2.resize(frontal, (side, side), interpolation=cv2.INTER_AREA))
    small = (small + 0.5) * SIZE_PX / side - 0.5
    assert apart_pct(small, full, "face") < face_pct
    assert apart_pct(small, full, "lid") < eye_pct
    assert apart_pct(small, full, "iris") < eye_pct


def test_a_small_face_in_a_large_frame_is_found(pipeline, frontal):
    full = first_look(pipeline, frontal)
    side = round(SIZE_PX * 90 / face_width(full))
    frame = np.full((720, 1280, 3), frontal[2, 2], np.uint8)
    frame[300 : 300 + side, 900 : 900 + side] = cv2.resize(
        frontal, (side, side), interpolation=cv2.INTER_AREA
    )
    found = (first_look(pipeline, frame) - (900, 300) + 0.5) * SIZE_PX / side - 0.5
    assert apart_pct(found, full, "face") < 0.8


def test_the_eyes_are_never_exchanged_as_the_head_turns(pipeline, patient):
    pipeline.reset()
    found, yaws = [], list(range(0, 61, 5)) + list(range(55, -61, -5))
    for number, yaw_deg in enumerate(yaws):
        frame, _ = patient.render(Pose(head_yaw_deg=yaw_deg))
        found.append(all_points(pipeline.detect(frame, number / 30))[:, :2])
    points = np.array(found)
    face = np.isfinite(points).all(axis=(1, 2))
    assert not swapped(points[face]).any()
    assert face[np.abs(yaws) <= 40].all()


@pytest.mark.parametrize("roll_deg", [-90, -40, 40, 90, 180])
def test_the_eyes_are_never_exchanged_as_the_head_rolls(pipeline, frontal, roll_deg):
    turn = cv2.getRotationMatrix2D(((SIZE_PX - 1) / 2,) * 2, roll_deg, 1)
    rolled = cv2.warpAffine(frontal, turn, (SIZE_PX, SIZE_PX), borderMode=cv2.BORDER_REPLICATE)
    points, straight = first_look(pipeline, rolled), first_look(pipeline, frontal)
    assert not swapped(points[None])[0]
    expected = straight @ turn[:, :2].T + turn[:, 2]
    assert apart_pct(points, expected, "face") < 0.8
    assert apart_pct(points, expected, "lid") < 0.4


def test_a_grey_frame_gives_the_landmarks_of_the_coloured_one(pipeline, frontal):
    colour = first_look(pipeline, frontal)
    grey = cv2.cvtColor(frontal, cv2.COLOR_BGR2GRAY)
    found = first_look(pipeline, cv2.merge([grey] * 3))
    assert apart_pct(found, colour, "face") < 1.2
    assert apart_pct(found, colour, "lid") < 0.8
    assert apart_pct(found, colour, "iris") < 0.6


def test_dim_and_noisy_light_keeps_the_landmarks(pipeline, frontal):
    bright = first_look(pipeline, frontal)
    grain = np.random.default_rng(0).normal(0, 4, frontal.shape)
    dim = np.clip(0.35 * frontal + grain, 0, 255).astype(np.uint8)
    found = first_look(pipeline, dim)
    assert apart_pct(found, bright, "face") < 1.5
    assert apart_pct(found, bright, "lid") < 0.8
    assert apart_pct(found, bright, "iris") < 0.6


def test_a_blink_falls_and_rises_and_a_wink_is_one_eyes(pipeline, patient):
    closures = [0, 0.5, 1, 0.5, 0]
    pipeline.reset()
    points = np.array(
        [
            all_points(pipeline.detect(patient.render(Pose(od_closure=c))[0], n / 30))[:, :2]
            for n, c in enumerate(closures)
        ]
    )
    od, os = (openness(eye, points[:, COLUMNS[f"{eye}_lid"]]) for eye in ("od", "os"))
    assert od[0] > od[1] > od[2] < od[3] < od[4]
    assert od[2] < 0.05 < 0.3 < os.min()
    assert np.ptp(os) < 0.02


@pytest.mark.parametrize("luminance", [0, 0.5, 2.5, 10, 39.9, 40, 41, 128, 255])
def test_a_dark_crop_is_brightened_as_in_training(luminance):
    assert _core.exposure_gain(luminance) == pytest.approx(exposure_gain(luminance), rel=1e-6)


def test_a_face_in_little_light_is_found_and_its_points_are_where_they_were(pipeline, frontal):
    lit = first_look(pipeline, frontal)
    pipeline.reset()
    detection = pipeline.detect(dimmed(frontal, 0.06, 1.0, np.random.default_rng(0)), 0.0)
    assert detection.face_found and detection.luminance < 15
    dark = all_points(detection)[:, :2]
    assert apart_pct(dark, lit, "face") < 1.5
    assert apart_pct(dark, lit, "lid") < 2 and apart_pct(dark, lit, "iris") < 2


def test_the_luminance_is_that_of_the_face_and_of_the_frame_without_one(pipeline, frontal):
    pipeline.reset()
    lit = pipeline.detect(frontal, 0.0)
    x, y = np.array(lit.face)[:, :2].T.astype(int)
    around = frontal[y.min() : y.max(), x.min() : x.max()] @ np.array(LUMA[::-1])
    assert lit.luminance == pytest.approx(around.mean(), rel=0.15)
    pipeline.reset()
    assert pipeline.detect(np.full((480, 640, 3), 3, np.uint8), 0.0).luminance == pytest.approx(3)


@pytest.fixture(scope="module")
def masked(patient, pipeline, frontal):
    """A flat mask from the bridge of the nose down over the chin."""
    x, y = np.moveaxis(first_look(pipeline, frontal)[:68], 1, 0)
    outline = [(x[i], y[i]) for i in (2, 29, 14, 11, 8, 5)]
    return cv2.fillPoly(frontal.copy(), [np.round(outline).astype(np.int32)], (215, 190, 150), cv2.LINE_AA)


def test_a_masked_face_is_found_the_right_way_up_and_its_eyes_are_where_they_were(pipeline, frontal, masked):
    bare = first_look(pipeline, frontal)
    pipeline.reset()
    detection = pipeline.detect(masked, 0.0)
    assert detection.face_found and detection.face_score > 0.9
    covered = all_points(detection)[:, :2]
    assert apart_pct(covered, bare, "lid") < 2 and apart_pct(covered, bare, "iris") < 2
    seen = np.array(detection.face)[:, 2]
    assert np.median(seen[48:]) < 0.5 < 0.8 < np.median(seen[36:48])  # the mouth hidden, the lids not


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_masked_face_that_lies_is_not_taken_for_one_that_stands(pipeline, masked, quarters):
    upright = first_look(pipeline, masked)[36:48]
    pipeline.reset()
    detection = pipeline.detect(np.ascontiguousarray(np.rot90(masked, quarters)), 0.0)
    assert detection.face_found
    x, y = np.array(detection.face)[36:48, :2].T
    for _ in range(quarters):  # rot90 takes (x, y) to (y, last - x)
        x, y = SIZE_PX - 1 - y, x
    off = np.linalg.norm(np.stack([x, y], 1) - upright, axis=1)
    assert off.max() < 0.1 * interocular(first_look(pipeline, masked))
