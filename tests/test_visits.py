"""Rendered patients in an examination: what they do is what the truth says, and what is found in them."""

import json

import numpy as np
import pytest

from dmask import cli
from dmask.evaluate.visits import KINDS, visit_of
from dmask.synthetic import SyntheticPatient
from dmask.synthetic.visits import cover_test, eye_of, photographs


@pytest.fixture(scope="module")
def patient():
    return SyntheticPatient(5003, (400, 400))


def apart_deg(patient, moment):
    """(2,) how much farther OS points to the left, and up, than eyes that both fixate the camera."""
    pose = moment.pose
    off = [
        np.array([getattr(pose, f"{eye}_yaw_deg"), getattr(pose, f"{eye}_pitch_deg")])
        - patient.fixation(eye, pose)
        for eye in ("od", "os")
    ]
    return off[1] - off[0]


@pytest.mark.parametrize("alternate", [True, False])
def test_a_tropia_shows_always_and_a_phoria_under_cover_alone(patient, alternate):
    for latent in (False, True):
        made = cover_test(patient, np.random.default_rng(1), 30, (8.0, -2.0), latent, alternate)
        shown = np.array([apart_deg(patient, moment) for moment in made.moments])
        free = np.array([moment.covered == "" for moment in made.moments])
        assert made.truth.get("cover.kind_class", "") == (
            "" if alternate else "phoria" if latent else "tropia"
        )
        if not latent:
            assert shown == pytest.approx(np.tile([8.0, -2.0], (len(shown), 1)), abs=1e-6)
        else:
            assert np.abs(shown[:30]).max() < 1e-6  # before the first cover
            assert np.abs(shown[~free]).max() > 6.0


@pytest.mark.parametrize("seed", [5002, 5005, 5008, 5003, 5004])  # hands, a paddle, a card
def test_what_is_held_before_an_eye_leaves_the_other_one_in_sight(patient, seed):
    made = cover_test(patient, np.random.default_rng(seed), 10, (6.0, 0.0), False, True, rounds=1)
    seen = {}

    def photograph(pose, number):
        frame, truth = patient.render(pose)
        seen[number] = frame
        return frame, truth

    shown = list(photographs(patient, made, photograph, seed))
    for number, (moment, (_, frame, _)) in enumerate(zip(made.moments, shown, strict=True)):
        if moment.covered:
            fellow = eye_of(patient, "os" if moment.covered == "od" else "od", moment.pose)
            x, y = np.round(fellow.iris).astype(int)
            before, after = (one[y - 3 : y + 4, x - 3 : x + 4].astype(float) for one in (seen[number], frame))
            assert np.abs(before - after).mean() < 25  # blurred at most


@pytest.mark.parametrize("kind", KINDS)
def test_a_visit_is_the_same_each_time_and_its_eyes_stay_within_reach(patient, kind):
    once, again = (visit_of(kind, patient, 5003, 20) for _ in range(2))
    assert once == again and once.truth
    angles = [getattr(one.pose, f"{eye}_{axis}_deg") for one in once.moments
              for eye in ("od", "os") for axis in ("yaw", "pitch")]  # fmt: skip
    assert np.abs(angles).max() < 45


@pytest.mark.parametrize("kind", ["healthy", "faint"])
def test_nothing_is_found_in_healthy_eyes_nor_beats_that_are_too_faint(tmp_path, kind):
    words = ["eval", "visits", "--only", kind, "--patients", "1", "--rate", "30", "--size", "600"]
    out = tmp_path / "told.json"
    assert cli.main([*words, "--tables", str(tmp_path / "tables"), "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["measures"] and len(list((tmp_path / "tables").iterdir())) == 1
    for name, one in told["measures"].items():
        assert one["n"] > 0, name
        if "wrong_share" in one:
            assert one["wrong_share"] == 0, name
        else:
            assert one["not_measured"] > 0 or one["median_error"] == 0, name


def test_lids_at_rest_are_compared_each_eye_with_its_own_truth(tmp_path):
    out = tmp_path / "told.json"
    words = ["eval", "visits", "--only", "lids", "--patients", "2", "--rate", "12", "--size", "600"]
    assert cli.main([*words, "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    for visit in told["visits"]:
        assert len(visit["told"]) == 12 and {one["eye"] for one in visit["told"]} == {"od", "os"}
    spread = {name: (one["true_sd"], one["p95_error"]) for name, one in told["measures"].items()}
    assert spread["lids.mrd1_mm/primary"][0] > 0.3  # lids that droop, and such that do not
    for name, most in (("mrd1_mm", 1.0), ("crease_height_mm", 1.5), ("lateral_flare_ratio", 0.25)):
        assert spread[f"lids.{name}/primary"][1] < most, name
    assert spread["lids.contour_peak_mm/primary"][1] < 2.5


def test_the_eye_in_sight_of_a_cover_test_is_told_covered_and_not(tmp_path):
    out = tmp_path / "told.json"
    words = ["eval", "visits", "--only", "covers", "--patients", "1", "--rate", "10", "--size", "600"]
    assert cli.main([*words, "--json", str(out)]) == 0
    (visit,) = json.loads(out.read_text())["visits"]
    for state in ("fellow_covered", "both_in_sight"):
        gaze = visit["open_eye"][state]
        assert gaze["measured_share"] > 0.9 and gaze["median_error_deg"] < 5
        assert gaze["within_1_96_sd_share"] > 0.8


def test_half_a_studio_is_wrong_use(tmp_path, capsys):
    assert cli.main(["eval", "visits", "--ict", str(tmp_path)]) == 2
    assert "expected both" in capsys.readouterr().err
