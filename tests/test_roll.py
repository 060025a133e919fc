"""Heads that lie on their side, or upside down, are measured as upright ones are."""

import cv2
import numpy as np
import pytest

import dmask
from dmask.synthetic import Pose, SyntheticPatient

SIZE_PX = 640
FRAMES = 8


def poses() -> list[Pose]:
    moments = np.linspace(0, 1, FRAMES)
    return [
        Pose(head_yaw_deg=4 * t, od_yaw_deg=-6 + 12 * t, os_yaw_deg=6 * t, os_closure=0.2) for t in moments
    ]


@pytest.fixture(scope="module")
def rendered():
    patient = SyntheticPatient(seed=3, size=(SIZE_PX, SIZE_PX), place_mm=(0, 0, 420))
    return [patient.render(pose)[0] for pose in poses()]


@pytest.fixture(scope="module")
def pipeline():
    return dmask.Pipeline(dmask.Options(precision="f32"))


def measured(pipeline, frames) -> list:
    pipeline.reset()
    detections = [pipeline.detect(frame, i / 30) for i, frame in enumerate(frames)]
    pipeline.calibrate(detections)
    return [pipeline.fit(detection) for detection in detections]


def turned(frame: np.ndarray, roll_deg: float) -> np.ndarray:
    """`roll_deg` clockwise about the middle of the picture."""
    middle = ((SIZE_PX - 1) / 2, (SIZE_PX - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, -roll_deg, 1)
    return cv2.warpAffine(frame, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_CUBIC, borderValue=(236,) * 3)


@pytest.fixture(scope="module")
def upright(pipeline, rendered):
    return measured(pipeline, rendered)


@pytest.mark.parametrize("roll_deg", [45, 90, 135, 180, 225, 270, 315])
def test_a_head_at_any_roll_is_measured_as_upright(pipeline, rendered, upright, roll_deg):
    results = measured(pipeline, [turned(frame, roll_deg) for frame in rendered])
    for result, expected in zip(results, upright, strict=True):
        assert result.face_valid
        roll_off_deg = (result.head_roll_deg - expected.head_roll_deg + roll_deg + 180) % 360 - 180
        assert abs(roll_off_deg) < 2, (result.head_roll_deg, expected.head_roll_deg)
        for eye in ("od", "os"):
            one, other = getattr(result, eye), getattr(expected, eye)
            assert one.valid and other.valid, (one.reason, other.reason)
            assert one.pfh_mm == pytest.approx(other.pfh_mm, abs=0.3)
            assert one.openness == pytest.approx(other.openness, abs=0.03)
            assert one.yaw_deg == pytest.approx(other.yaw_deg, abs=1.5)
            assert one.pitch_deg == pytest.approx(other.pitch_deg, abs=1.5)
