"""A recording has one patient: who it is among several people, and that nobody else is measured."""

import json

import numpy as np
import pytest
from conftest import write_video

import dmask
from dmask import cli
from dmask.io.tables import read_frames
from dmask.synthetic import Pose, SyntheticPatient
from dmask.synthetic.scenes import two_people

SIZE = 360
RATE = 10.0  # frames a second: a second is short then
PATIENT, OTHER, THIRD = 3, 8, 12


@pytest.fixture(scope="module")
def faces():
    """(frames of) three rendered people, square pictures."""
    return {
        seed: [
            SyntheticPatient(seed, (SIZE, SIZE)).render(Pose(head_yaw_deg=yaw, smile=0.1 * smile))[0]
            for yaw, smile in ((-6, 0), (-3, 1), (0, 2), (3, 1), (6, 0))
        ]
        for seed in (PATIENT, OTHER, THIRD)
    }


def pipeline(**options):
    """`article` lets out where a face was: the left or the right one."""
    return dmask.Pipeline(dmask.Options(backend="cpu", profile="article", **options))


def seen_by(core, scenes, start=0):
    return [core.detect(np.ascontiguousarray(scene), (start + k) / RATE) for k, scene in enumerate(scenes)]


def sides(detections):
    """Of each frame: l or r where a face is given, ? where somebody else is in sight, - of nobody."""
    return "".join(
        ("l" if np.median(d.face[:, 0]) < SIZE else "r") if d.face_found else "?" if d.another_person else "-"
        for d in detections
    )


@pytest.mark.parametrize(
    ("person", "side"),
    [("largest", "l"), ("smallest", "r"), ("left", "l"), ("right", "r"), ("1", "l"), ("2", "r")],
)
def test_the_one_asked_for_is_measured_from_the_first_frame_on(faces, person, side):
    core = pipeline(person=person)
    detections = seen_by(
        core, [two_people(a, b, SIZE) for a, b in zip(faces[PATIENT], faces[OTHER], strict=True)]
    )
    assert sides(detections) == 5 * side
    assert core.people == 2


def test_the_centre_is_that_of_the_picture(faces):
    scene = two_people(faces[PATIENT][0], faces[OTHER][0], SIZE)
    detections = seen_by(pipeline(person="centre"), [np.pad(scene, ((0, 0), (0, SIZE), (0, 0)), "edge")])
    assert sides(detections) == "r"


def test_of_too_few_people_none_is_measured(faces):
    core = pipeline(person="3")
    found = seen_by(core, [two_people(faces[PATIENT][0], faces[OTHER][0], SIZE)] * 3)
    assert sides(found) == "???"
    assert not any(one.face.any() or one.face_score for one in found)  # nobody's points are given
    result = core.fit(found[0])
    reasons = {result.face_reason, result.od.reason, result.os.reason}
    assert reasons == {"another_person"} and not result.face_valid


def test_whoever_comes_after_the_patient_is_not_measured_and_he_is_known_again(faces):
    core = pipeline()
    patient, other = faces[PATIENT], faces[OTHER]
    looks = range(12)
    scenes = [two_people(patient[k % 5], None, SIZE) for k in looks]
    scenes += [two_people(None, None, SIZE)] * 12
    scenes += [two_people(None, other[k % 5], SIZE) for k in range(30)]
    scenes += [two_people(patient[k % 5], other[k % 5], SIZE) for k in range(30)]
    detections = seen_by(core, scenes)
    course = sides(detections)
    assert course[:12] == 12 * "l"
    assert course[12:24] == 12 * "-"
    assert course[24:54] == 30 * "?"
    back = course[54:]
    assert "r" not in back and back.lstrip("?") == "l" * len(back.lstrip("?"))
    assert back.count("?") <= 16  # he is looked for every 15 frames
    assert core.people == 2
    assert core.recognitions == 1
    assert core.calibrate(detections).ok
    results = [core.fit(one) for one in detections]
    assert all(result.face_reason == "another_person" for result in results[24:54])
    assert all(np.isnan(result.od.yaw_deg) and np.isnan(result.head_yaw_deg) for result in results[24:54])
    assert results[-1].face_valid
    plain = core.render(results[30])
    assert (plain == plain[0, 0]).all()  # nobody's face is drawn


def test_the_patient_stays_when_a_larger_one_comes(faces):
    scenes = [two_people(None, faces[PATIENT][k % 5], SIZE) for k in range(12)]
    scenes += [two_people(faces[OTHER][k % 5], faces[PATIENT][k % 5], SIZE) for k in range(65)]
    core = pipeline()
    assert sides(seen_by(core, scenes)) == 77 * "r"
    assert core.people == 2  # the whole picture is looked at now and then
    assert core.recognitions == 0


def in_a_room(picture, number):
    """What is behind somebody is another wall in each shot."""
    columns = np.arange(picture.shape[1])[None, :, None]
    wall = np.broadcast_to((columns // 40 * 67 + 90 * number) % 230, picture.shape)
    return np.where(picture == 236, wall, picture).astype(np.uint8)


def test_three_people_cut_together_are_not_one_patient(faces):
    scenes = [in_a_room(faces[seed][k % 5], seed) for seed in (PATIENT, OTHER, THIRD) for k in range(12)]
    found = [one.face_found for one in seen_by(pipeline(), scenes)]
    assert found == 12 * [True] + 24 * [False]


def test_live_the_choice_of_the_first_second_starts_afresh(faces):
    """Who is there alone at first is shown; who is the largest of the first second is the patient."""
    core = pipeline()
    scenes = [two_people(None, faces[OTHER][0], SIZE)]
    scenes += [two_people(faces[PATIENT][k % 5], faces[OTHER][k % 5], SIZE) for k in range(14)]
    results = [core.process(np.ascontiguousarray(scene), k / RATE) for k, scene in enumerate(scenes)]
    assert results[0].face_valid and results[0].head_x_mm > 0
    assert results[-1].face_valid and results[-1].head_x_mm < 0


def test_a_recording_drops_who_did_not_turn_out_to_be_the_patient(faces):
    core = pipeline()
    scenes = [two_people(None, faces[OTHER][0], SIZE)]
    scenes += [two_people(faces[PATIENT][k % 5], faces[OTHER][k % 5], SIZE) for k in range(14)]
    detections = seen_by(core, scenes)
    assert detections[0].choosing and not detections[-1].choosing
    assert core.calibrate(detections).ok
    results = [core.fit(one) for one in detections]
    assert results[0].face_reason == "another_person"
    assert all(not result.face_valid or result.head_x_mm < 0 for result in results)


@pytest.fixture(scope="module")
def video(faces, tmp_path_factory):
    scenes = [two_people(faces[PATIENT][k % 5], faces[OTHER][k % 5], SIZE) for k in range(8)]
    return write_video(tmp_path_factory.mktemp("people") / "two.mp4", scenes)


def test_each_person_gets_a_folder(video, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["run", str(video), "-o", str(out), "--person", "all", "--backend", "cpu", "--legend"]
    arguments += ["--profile", "article"]  # which lets out where each was
    assert cli.main(arguments) == 0
    assert sorted(path.name for path in out.iterdir()) == ["person1", "person2"]
    for number, side in ((1, -1), (2, 1)):
        frames = read_frames(out / f"person{number}" / "frames.csv")
        assert (frames["face_valid"] == 1).all() and (side * frames["head_x_mm"] > 0).all()
        summary = json.loads((out / f"person{number}" / "summary.json").read_text())
        assert summary["people"] == 2
        assert [flag["people"] for flag in summary["flags"] if flag["flag"] == "another_person"] == [2]
        run = json.loads((out / f"person{number}" / "run.json").read_text())
        assert run["options"]["person"] == str(number) and run["mask"]["legend_rows"] > 0
    assert (
        cli.main(["run", str(video), "-o", str(out), "--person", "all"]) == 2
    )  # the results are there already
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "10", "everybody", "2.5", ""])
def test_a_person_that_is_none_is_refused(video, tmp_path, capsys, value):
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out"), "--person", value]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "--person" in error and "largest" in error
    assert not (tmp_path / "out").exists()


def test_all_of_a_folder_or_a_camera_is_refused(video, tmp_path, capsys):
    for given in (str(video.parent), "0"):
        assert cli.main(["run", given, "-o", str(tmp_path / "out"), "--person", "all"]) == 2
        assert "got --person all" in capsys.readouterr().err


def test_a_person_who_is_not_there_is_said(video, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["run", str(video), "-o", str(out), "--person", "4", "--backend", "cpu"]) == 1
    assert "of 2 people none is the one asked for" in capsys.readouterr().err
    frames = read_frames(out / "frames.csv")
    assert set(frames["face_reason"]) == set(frames["od_reason"]) == {"another_person"}


def test_after_a_reset_nothing_is_left_of_who_was_taken_for_whom(faces):
    core = pipeline(person="smallest")
    alone = [two_people(face, None, SIZE) for face in faces[PATIENT]]
    both = [two_people(a, b, SIZE) for a, b in zip(faces[PATIENT], faces[OTHER], strict=True)]
    late = seen_by(core, alone[:2] + both)
    core.calibrate(late)
    assert sides(late)[-1] == "r" and core.fit(late[0]).face_reason == "another_person"

    core.reset()
    theirs = seen_by(pipeline(), alone)  # of another detector, whose first track has a low number
    assert core.calibrate(theirs).ok and all(core.fit(one).face_valid for one in theirs)


def test_after_a_reset_the_next_patient_is_not_measured_by_the_shape_of_the_last(faces):
    core = pipeline()
    seen = seen_by(core, [two_people(face, None, SIZE) for face in faces[PATIENT]])
    assert core.calibrate(seen).ok and core.fit(seen[0]).face_valid

    core.reset()
    fit = core.fit(seen[0])  # nobody has been calibrated
    assert not fit.face_valid and np.isnan(fit.head_yaw_deg)
