"""`dmask eval rendered --matrix`: what is drawn before a face is where it is said to be, and is counted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dmask import cli
from dmask.errors import WrongUse
from dmask.evaluate import matrix
from dmask.evaluate.matrix_cases import HALF_MM, Case, cases
from dmask.synthetic import Pose, SyntheticPatient
from dmask.synthetic.occluders import SHAPES, TEXTURES, Occluder, Place, cover, grey
from dmask.synthetic.scenes import dimmed, two_people

PAPER = np.full((120, 120, 3), 200, np.uint8)
MIDDLE = Place(np.array([60.0, 60.0]), 1.0)


@pytest.fixture(scope="module")
def patient():
    return SyntheticPatient(seed=3, size=(300, 300))


@pytest.mark.parametrize("kind", list(SHAPES))
def test_an_occluder_is_where_it_says_that_it_hides(kind):
    covered, hidden = cover(PAPER, Occluder(kind, grey(20)), MIDDLE)
    assert np.array_equal(covered[hidden == 0], PAPER[hidden == 0])
    assert 0.01 < hidden.mean() < 0.7 and hidden.max() > 0.9
    expected = 200 - 180 * hidden[hidden > 0]
    assert np.abs(covered[hidden > 0].mean(-1) - expected).mean() < 2


@pytest.mark.parametrize("kind", ["disc", "bar", "hand", "card", "lens"])
def test_a_whole_occluder_hides_the_point_that_it_is_about(kind):
    assert cover(PAPER, Occluder(kind), MIDDLE)[1][60, 60] == 1.0


def test_an_occluder_grows_with_the_picture_and_turns_with_the_head():
    small, large = (cover(PAPER, Occluder("disc"), replace(MIDDLE, px_per_mm=k))[1].sum() for k in (0.5, 1.0))
    assert large == pytest.approx(4 * small, rel=0.05)
    beside = Occluder("disc", offset_mm=(20.0, 0.0))  # at the picture's right, which a roll of 90 takes up
    hidden = cover(PAPER, beside, replace(MIDDLE, roll_deg=90))[1]
    rows, columns = np.nonzero(hidden > 0.5)
    assert rows.mean() == pytest.approx(40, abs=1) and columns.mean() == pytest.approx(60, abs=1)


def test_a_blurred_edge_is_wider_and_an_opacity_lets_through():
    sharp, blurred = (cover(PAPER, Occluder("disc", blur_mm=b), MIDDLE)[1] for b in (0.3, 10.0))
    assert ((blurred > 0) & (blurred < 1)).sum() > 4 * ((sharp > 0) & (sharp < 1)).sum()
    assert cover(PAPER, Occluder("disc", opacity=0.4), MIDDLE)[1].max() == pytest.approx(0.4)


@pytest.mark.parametrize("texture", TEXTURES)
def test_a_texture_is_seen_and_the_same_every_time(texture):
    one, again = (cover(PAPER, Occluder("card", grey(100), texture), MIDDLE)[0] for _ in range(2))
    assert np.array_equal(one, again)
    inner = one[40:80, 40:80].astype(float)
    assert (inner.std() < 3) == (texture == "flat")


def test_the_patients_pupil_lies_within_its_lids_until_they_shut(patient):
    for eye in ("od", "os"):
        pose = Pose(od_yaw_deg=10, os_yaw_deg=10, head_roll_deg=30)
        patient.render(pose)
        nothing = np.zeros((300, 300))
        assert matrix.hidden_share(patient, pose, eye, nothing) < 0.1
        assert matrix.hidden_share(patient, pose, eye, nothing + 1) == 1.0
        shut = Pose(od_closure=1.0, os_closure=1.0)
        patient.render(shut)
        assert matrix.hidden_share(patient, shut, eye, nothing) > 0.9


@pytest.mark.parametrize("kind", list(HALF_MM))
def test_half_an_occluder_leaves_some_of_the_eye(patient, kind):
    pose = Pose()
    frame, _ = patient.render(pose)
    occluder = Occluder(kind, offset_mm=HALF_MM[kind])
    hidden = matrix.drawn(frame, occluder, patient, pose, patient.eye_centre("od") + [0, 0, 12.0])[1]
    x, y = np.round(patient.lid_outline("od")).astype(int).T
    assert 0.15 < hidden[y.min() : y.max(), x.min() : x.max()].mean() < 0.85


def test_smile_squint_and_look_down_narrow_the_lids_and_leave_the_plain_patient(patient):
    plain = patient.render(Pose())[1]["od_openness"]
    assert 0.3 < plain < 0.5
    for pose in (Pose(smile=1.0), Pose(squint=1.0), Pose(lids_down=1.0)):
        assert 0.3 * plain < patient.render(pose)[1]["od_openness"] < 0.85 * plain
    assert patient.render(Pose(od_closure=1.0))[1]["od_openness"] == 0.0


def test_scenes_are_dim_and_hold_two():
    dark = dimmed(PAPER, 0.1, 3.0, np.random.default_rng(1))
    assert dark.mean() == pytest.approx(20, abs=1) and dark.std() == pytest.approx(3, abs=0.5)
    black = np.zeros_like(PAPER)
    scene = two_people(black, black, 100)
    assert scene.shape == (100, 200, 3)
    assert (scene[:, :100] == 0).all() and (scene[:, 100:] == 0).mean() == pytest.approx(0.64)
    assert (two_people(None, None, 100) == 200).all()


def test_the_quick_cases_are_among_all_and_every_factor_is_there():
    names, quick = ({case.name for case in cases(q)} for q in (False, True))
    assert len(quick) < 50 < len(names)
    assert {f"roll {deg}" for deg in range(0, 360, 15)} <= names
    assert {f"roll {deg}" for deg in range(0, 360, 45)} <= quick
    kinds = {case.kind.partition(":")[0] for case in cases(True)}
    assert kinds == {case.kind.partition(":")[0] for case in cases(False)}
    assert kinds == {"roll", "occluder", "light", "lower face", "gaze", "people", "pairs"}


def entry(said="valid", hidden=0.0, **values):
    eye = {"said": said, "hidden": hidden} | values
    return {
        "face": True,
        "face_reason": "",
        "there": True,
        "od": eye,
        "os": {"said": "closed", "hidden": 1.0},
    }


def test_what_is_called_wrong_is_counted_and_a_reason_of_tomorrow_too():
    seen = [
        entry("valid", 1.0, gaze_deg=5.0, in_sd=[0.5, 2.5], fissure_mm=-1.0),
        entry("covered", 0.0, fissure_mm=None),
        entry("mirrored_by_moonlight", 0.0),
        entry("valid", 0.0, gaze_deg=1.0, in_sd=[0.5, None], fissure_mm=3.0) | {"there": False},
    ]
    row = matrix.figures(seen)
    assert row["hidden_but_valid"] == 0.2  # of the left eye's four as well
    assert row["visible_but_covered"] == round(1 / 3, 4) and row["visible_but_not_valid"] == round(2 / 3, 4)
    assert row["within_2_sd"] == round(2 / 3, 4)
    assert row["gaze_deg"]["median"] == 3.0 and row["fissure_mm"]["median"] == 2.0
    assert row["reasons"]["mirrored_by_moonlight"] == 0.125
    assert row["another_person_valid"] == 1.0
    report = {"patients": 1, "frames": 4, "size_px": 9, "cases": {"a case": row}, "kinds": {"a kind": row}}
    assert "mirrored_by_moonlight 12" in matrix.as_text(report)
    empty = matrix.figures([])
    assert empty["face_found"] is None and empty["gaze_deg"]["p95"] is None


def test_a_second_call_goes_on_where_the_first_was_cut_off(tmp_path, monkeypatch):
    calls = []

    def observe(pipeline, case, seed):
        calls.append(case.name)
        return [entry()]

    monkeypatch.setattr(matrix, "observe", observe)
    keep = tmp_path / "kept.jsonl"
    whole = matrix.matrix(None, True, 1, keep)
    lines = keep.read_text().splitlines()
    assert len(calls) == len(lines) == len(cases(True))
    keep.write_text("\n".join([*lines[:-1], lines[-1][:40]]))  # killed while it wrote
    calls.clear()
    assert matrix.matrix(None, True, 1, keep) == whole
    assert calls == [cases(True)[-1].name]
    calls.clear()
    assert (
        matrix.matrix(None, True, 1, keep) == whole and not calls
    )  # what came behind it is a line of its own


def test_a_file_that_holds_no_cases_is_named(tmp_path):
    for content in (b"\x89PNG\r\n\xff\xfe", b"a,b\n"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(WrongUse, match="not what --cases writes"):
            matrix.kept(tmp_path / "other")


def test_the_matrix_is_measured_and_printed(tmp_path, monkeypatch, capsys):
    chosen = [Case("plain", "one"), Case("disc", "two", at_eye=(Occluder("disc", grey(120)),))]
    chosen += [Case("left alone", "three", people="first_leaves")]
    monkeypatch.setattr(matrix, "cases", lambda quick: chosen)
    for name, value in (("SIZE_PX", 420), ("FRAMES", 14), ("PEOPLE_FRAMES", 12)):
        monkeypatch.setattr(matrix, name, value)
    report = tmp_path / "matrix.json"
    assert cli.main(["eval", "rendered", "--matrix", "--quick", "--json", str(report)]) == 0
    found = json.loads(report.read_text())["cases"]
    assert found["plain"]["face_found"] == 1.0 and found["plain"]["gaze_deg"]["median"] < 8
    assert found["plain"]["openness"]["p95"] < 0.1 and found["plain"]["reasons"]["valid"] > 0.8
    assert found["disc"]["hidden_but_valid"] is not None
    assert found["left alone"]["another_person_valid"] is not None
    assert "hid.valid" in capsys.readouterr().out


@pytest.mark.parametrize("alone", [["--quick"], ["--cases", "x"]])
def test_the_matrixs_options_go_with_it(alone, capsys):
    assert cli.main(["eval", "rendered", *alone]) == 2
    assert "--matrix" in capsys.readouterr().err


def test_a_file_of_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("groceries\n")
    assert cli.main(["eval", "rendered", "--matrix", "--cases", str(tmp_path / "notes.txt")]) == 2
    assert "notes.txt" in capsys.readouterr().err
