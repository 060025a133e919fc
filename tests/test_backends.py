"""The comparison of two backends, on the one that is everywhere."""

import pytest

from dmask import cli
from dmask.evaluate.backends import apart, compare, spread
from dmask.options import core_options


@pytest.fixture(scope="module")
def options():
    import argparse

    given = {"backend": "cpu", "weights": "research", "precision": "f32", "threads": 1, "models": None}
    return core_options(argparse.Namespace(**given))


def test_a_backend_equals_itself(patient_video, options):
    report = compare(patient_video, options, options, most_frames=6)
    assert report["equal"] and report["frames_with_face"] == [6, 6]
    measured = [row for row in report["differences"].values() if row]
    assert len(measured) > 4 and all(row["max"] == 0 for row in measured)
    assert all(side["frame_to_mask"]["p50_ms"] > 0 for side in report["stages"])


def test_another_result_is_not_equal(patient_video, options):
    report = compare(patient_video, options, options | {"hfov_deg": 20.0}, most_frames=6)
    assert not report["equal"]
    assert report["differences"]["face_pct"]["max"] == 0  # the fits differ, not the landmarks
    assert report["differences"]["mask_grey_levels"]["p95"] > 0


def test_what_one_backend_alone_measures_fits_no_tolerance():
    nan = float("nan")
    assert apart(1.0, 3.0) == [2.0] and apart(nan, nan) == []
    row = spread([0.0, *apart(nan, 1.0)])
    assert not row["p95"] <= 1e9 and not row["max"] <= 1e9
    assert spread([]) is None


def test_the_check_prints_both_timings_beside_the_articles(patient_video, capsys):
    code = cli.main(["bench", "--video", str(patient_video), "--check", "--precision", "f32"])
    out = capsys.readouterr().out
    assert code == 0 and "equal within the tolerances" in out
    assert "article" in out and "14.00" in out
