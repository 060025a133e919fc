"""Little light: what is measured is right within its stated interval, and the rest is called dark."""

import numpy as np
import pytest

import dmask
from dmask.synthetic import Pose, SyntheticPatient
from dmask.synthetic.scenes import dimmed

FRAMES = 12


@pytest.fixture(scope="module")
def pipeline():
    return dmask.Pipeline(dmask.Options(precision="f32"))


@pytest.fixture(scope="module")
def rendered():
    patient = SyntheticPatient(seed=3, size=(512, 512))
    angles = np.linspace(-10, 10, FRAMES)
    return [patient.render(Pose(od_yaw_deg=yaw, os_yaw_deg=yaw)) for yaw in angles]


def measured(pipeline, rendered, light: float, noise_sd: float, seed: int = 0) -> list:
    random = np.random.default_rng(seed)
    pipeline.reset()
    frames = [dimmed(frame, light, noise_sd, random) for frame, _ in rendered]
    detections = [pipeline.detect(frame, i / 30) for i, frame in enumerate(frames)]
    pipeline.calibrate(detections)
    return [pipeline.fit(detection) for detection in detections]


def reasons(results) -> list[str]:
    return [getattr(result, eye).reason for result in results for eye in ("od", "os")]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("light", "noise_sd"), [(1, 3), (0.15, 3), (0.07, 1), (0.05, 3), (0.02, 3), (0.03, 6)]
)
def test_what_is_valid_is_right_and_the_rest_is_dark(pipeline, rendered, light, noise_sd, seed):
    results = measured(pipeline, rendered, light, noise_sd, seed)
    assert set(reasons(results)) <= {"", "dark"}
    for result, (_, truth) in zip(results, rendered, strict=True):
        for eye in ("od", "os"):
            one = getattr(result, eye)
            if not one.valid:
                continue
            assert abs(one.yaw_deg - truth[f"{eye}_yaw_deg"]) < 2 * one.yaw_sd_deg
            assert abs(one.pitch_deg - truth[f"{eye}_pitch_deg"]) < 2 * one.pitch_sd_deg
            assert one.pfh_mm == pytest.approx(truth[f"{eye}_pfh_mm"], abs=2)


def test_dim_light_is_measured_and_noise_in_the_dark_is_not(pipeline, rendered):
    assert set(reasons(measured(pipeline, rendered, 0.07, 1))) == {""}
    assert reasons(measured(pipeline, rendered, 0.03, 6)).count("dark") > 0.5 * 2 * FRAMES


@pytest.mark.parametrize(("level", "reason"), [(0, "dark"), (5, "dark"), (60, "no_face")])
def test_a_frame_without_a_face_is_dark_where_none_could_be_seen(pipeline, level, reason):
    pipeline.reset()
    result = pipeline.fit(pipeline.detect(np.full((240, 320, 3), level, np.uint8), 0.0))
    assert not result.face_valid
    assert [result.face_reason, result.od.reason, result.os.reason] == [reason] * 3


def test_a_gaze_in_the_dark_is_stated_less_surely(rendered):
    pipeline = dmask.Pipeline(dmask.Options(precision="f32", profile="article"))  # clinical rounds them up
    detection = pipeline.detect(rendered[5][0], 0.0)
    pipeline.calibrate([detection])
    stated = {}
    for luminance in (19.9, 20.0):
        detection.luminance = luminance
        stated[luminance] = pipeline.fit(detection)
    for eye in ("od", "os"):
        dark, bright = (getattr(stated[luminance], eye) for luminance in (19.9, 20.0))
        assert dark.valid and bright.valid and dark.yaw_deg == pytest.approx(bright.yaw_deg, abs=0.1)
        assert dark.yaw_sd_deg == pytest.approx(1.3 * bright.yaw_sd_deg, rel=0.02)
        assert dark.pitch_sd_deg == pytest.approx(1.3 * bright.pitch_sd_deg, rel=0.02)
