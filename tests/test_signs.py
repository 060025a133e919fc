"""What is left of the eye signs: shares, angles and correlations that are right where the answer is known."""

import numpy as np
import pytest

from dmask.evaluate.linkage import signs


def some_signs(count=50, seed=0):
    random = np.random.default_rng(seed)
    gaze = random.normal(0, 10, (count, 2, 2))
    return np.concatenate([random.uniform(0.1, 0.4, (count, 2, 1)), gaze], 2)


def test_signs_that_stay_are_all_there():
    truth = some_signs()
    kept = signs.signs(truth, {"original": truth})["original"]
    assert kept == pytest.approx((100, 1, 1, 1, 0, 1, 1))


def test_an_unmeasured_eye_counts_and_nothing_found_leaves_nothing():
    truth = some_signs()
    half, nothing = truth.copy(), np.full_like(truth, np.nan)
    half[:25] = np.nan
    half[25:30, 0, 1] = np.nan  # a gaze without yaw is none
    truth[0, 0] = np.nan  # not in the original: of no account
    found = signs.signs(truth, {"half": half, "nothing": nothing})
    assert found["half"].eyes == 99 and found["half"].lids_measured == pytest.approx(50 / 99)
    assert found["half"].gaze_measured == pytest.approx(45 / 99)
    assert found["nothing"].lids_measured == found["nothing"].gaze_measured == 0
    assert np.isnan(found["nothing"][2]) and np.isnan(found["nothing"].gaze_error_deg)


def test_gaze_errors_are_angles_and_correlations_are_pearson_s():
    truth = some_signs()
    seen = truth.copy()
    seen[..., 2] += 3.0  # pitch: the angle itself
    seen[..., 0] *= -1
    found = signs.compared(truth, seen)
    assert found.gaze_error_deg == pytest.approx(3.0) and found.pitch_r == pytest.approx(1)
    assert found.openness_r == pytest.approx(-1)
    seen = truth.copy()
    seen[..., 1:] = [[20.0, 30.0]]
    found = signs.compared(truth, seen)
    assert np.isnan(found.yaw_r)  # never varies
    up = signs.apart_deg(np.array([[0.0, 60.0]]), np.array([[10.0, 60.0]]))
    assert up == pytest.approx(4.999, abs=0.02)  # yaw counts for less far up


def test_signs_of_other_pictures_are_refused():
    with pytest.raises(ValueError, match="same pictures"):
        signs.signs(some_signs(50), {"mask": some_signs(49)})


def test_a_picture_without_a_face_is_all_unmeasured():
    assert np.isnan(signs.measured(None)).all()


def test_signs_are_read_from_dmask_s_own_results(patient_frames):
    import dmask

    pipeline = dmask.Pipeline(dmask.Options())
    detection = pipeline.detect(patient_frames[0], 0.0)
    pipeline.calibrate([detection])
    result = pipeline.fit(detection)
    values = signs.measured(result)
    assert values[0, 0] == result.od.openness and values[1, 1] == result.os.yaw_deg
    grey = np.full_like(patient_frames[0], 128)
    pipeline.reset()
    assert np.isnan(signs.measured(pipeline.fit(pipeline.detect(grey, 0.0)))).all()
