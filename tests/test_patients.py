"""What is measured of rendered patients whose truth is known: how far aside they look, how large they are."""

import numpy as np
import pytest

import dmask
from dmask.evaluate.rendered import random_pose
from dmask.synthetic.patient import EYES, Pose, SyntheticPatient


def test_gaze_aside_is_as_far_aside_as_the_eyes_are():
    """Points of the lids go sideways with the iris: a head that went with them would take 3 to 4 % of it."""
    looks_deg = np.arange(-30, 31, 7.5)
    gains = []
    for seed in (1, 2, 6):
        patient = SyntheticPatient(seed, (480, 480))
        pipeline = dmask.Pipeline(dmask.Options(profile="article", backend="cpu", smoothing_scale=1e6))
        poses = [Pose(od_yaw_deg=yaw, os_yaw_deg=yaw) for yaw in looks_deg]
        detections = [pipeline.detect(patient.render(pose)[0], float(k)) for k, pose in enumerate(poses)]
        pipeline.calibrate(detections)
        found = np.array([[getattr(pipeline.fit(d), eye).yaw_deg for eye in EYES] for d in detections])
        gains += list(np.polyfit(looks_deg, found, 1)[0])
    assert 0.98 < np.median(gains) < 1.035


@pytest.mark.parametrize("age_years", [0.1, 1.0])
def test_a_child_whose_age_is_told_is_measured_in_its_own_millimetres(age_years):
    """A picture of a patient whose globe is a grown-up's, and whose iris beside it is a child's."""
    globe = {0.1: 0.70 + 0.1 * (20 / 23 - 0.70), 1.0: 20 / 23}[age_years]
    iris_mm = {0.1: 10.15, 1.0: 11.5}[age_years]
    patient = SyntheticPatient(4, (480, 480), iris_radius_mm=0.5 * iris_mm / globe)
    drawn = [patient.render(random_pose(np.random.default_rng(k), k / 8)) for k in range(8)]

    def told(age):
        pipeline = dmask.Pipeline(dmask.Options(profile="article", backend="cpu", age_years=age))
        detections = [pipeline.detect(frame, 0.5 * k) for k, (frame, _) in enumerate(drawn)]
        pipeline.calibrate(detections)
        results = [pipeline.fit(detection) for detection in detections]
        larger = {
            name: np.nanmedian(
                [got(r) / truth[name] / globe for r, (_, truth) in zip(results, drawn, strict=True)]
            )
            for name, got in (("head_z_mm", lambda r: r.head_z_mm), ("od_mrd1_mm", lambda r: r.od.mrd1_mm))
        }
        return larger, 2 * pipeline.calibration.iris_radius_mm

    larger, width_mm = told(age_years)
    assert abs(width_mm - iris_mm) < 0.3
    assert all(abs(share - 1) < 0.07 for share in larger.values())
    larger, width_mm = told(18)
    assert width_mm - iris_mm > 0.7
    assert all(share > 1.09 for share in larger.values())


def test_a_recording_that_only_looks_down_lays_the_eyeballs_as_well_as_others():
    """What the lids leave of the limbus there laid them wrong by a millimetre, which is 5 degrees."""
    errors = []
    for seed in (51, 53, 55):
        patient = SyntheticPatient(seed, (480, 480))
        pipeline = dmask.Pipeline(dmask.Options(profile="article", backend="cpu"))
        detections, down_deg = [], np.clip(2.0 * (np.arange(32) - 4), 0, 56)
        for k, down in enumerate(down_deg):
            aside = 4 * np.sin(k / 4)
            pose = Pose(od_yaw_deg=aside, os_yaw_deg=aside, od_pitch_deg=-down, os_pitch_deg=-down,
                        lids_down=min(1.0, down / 40))  # fmt: skip
            detections.append(pipeline.detect(patient.render(pose)[0], k / 30))
        pipeline.calibrate(detections)
        for down, result in zip(down_deg, map(pipeline.fit, detections), strict=True):
            errors += [getattr(result, eye).pitch_deg + down for eye in EYES if down < 20]
    assert abs(np.nanmedian(errors)) < 2
    assert np.isfinite(errors).mean() > 0.9
