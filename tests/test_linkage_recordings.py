"""Whether a recording leads to another one of the same person: by what leaves of how he moves."""

import json
import shutil

import numpy as np
import pytest
from conftest import write_video

from dmask import cli
from dmask.errors import WrongUse
from dmask.evaluate.linkage.originals import Pair, is_video, read_originals
from dmask.evaluate.linkage.recordings import (
    FEATURES,
    RELEASES,
    doubts_of,
    motion_attacks,
    recordings_of,
    varying,
)
from dmask.synthetic import SyntheticPatient
from dmask.synthetic.demo import motion

PEOPLE = 20


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    patient = SyntheticPatient(seed=5, size=(400, 400))
    frames = [patient.render(motion(patient, number / 30))[0] for number in range(24)]
    return write_video(tmp_path_factory.mktemp("moving") / "in.mp4", frames)


def rows_of_people(random, stays):
    """Of PEOPLE in two recordings: `stays`, how much of 30 features is the person's own."""
    own = random.normal(size=(PEOPLE, 30))
    rows = []
    for _ in range(2):
        for person in own:
            whole = {f"f{k}": stays * v + random.normal() for k, v in enumerate(person)}
            halves = [{f"f{k}": stays * v + random.normal() for k, v in enumerate(person)} for _ in range(2)]
            rows.append(json.dumps([whole, *halves]))
    return {"strict": np.array(rows)}


@pytest.mark.parametrize(("stays", "least", "most"), [(3.0, 0.9, 1.0), (0.0, 0.3, 0.7)])
def test_who_moves_alike_is_found_and_who_does_not_is_not(stays, least, most):
    rows = rows_of_people(np.random.default_rng(0), stays)
    across = [Pair(i, PEOPLE + i) for i in range(PEOPLE)]
    found = list(motion_attacks(rows, across, list(range(PEOPLE))))
    assert len(found) == len(FEATURES) * 2
    for attack in found:
        assert attack.people == PEOPLE and attack.has == "motion"
        assert least <= attack.auc.value <= most
        assert 0.3 < attack.control_auc < 0.7
    assert not list(motion_attacks(rows, across[:5], list(range(5))))  # too few say nothing


def test_what_is_withheld_or_the_same_of_everybody_tells_nobody():
    names, values = varying(["a", "b", "c"], np.array([[1, np.nan, 3.0], [1, np.nan, 4.0]]))
    assert names == ["c"] and values.tolist() == [[3.0], [4.0]]
    rows = {"strict": np.array([json.dumps([{"f": 1.0}] * 3)] * 2 * PEOPLE)}
    for attack in motion_attacks(rows, [Pair(i, PEOPLE + i) for i in range(PEOPLE)], []):
        assert attack.auc.value == 0.5 and attack.rank1.value == 0


def test_recordings_that_tell_little_are_named():
    rows = {"seconds": np.array([20.0, 0.5, 20.0]), "seen": np.array([1.0, 1.0, 0.1])}
    assert doubts_of(rows) == [
        "1 of 3 recordings are shorter than 5 seconds",
        "in 1 of 3 recordings the face is not seen half of the time",
    ]
    assert doubts_of({name: values[:1] for name, values in rows.items()}) == []


def test_what_a_recording_tells_is_what_its_profile_lets_out(video):
    rows = recordings_of([(video,)], {"options": {"backend": "cpu"}})
    told = {name: json.loads(rows[name][0])[0] for name in RELEASES}
    known = {name: {key for key, value in of.items() if np.isfinite(value)} for name, of in told.items()}
    for name in RELEASES:
        assert any(key.startswith("head_yaw_deg:") for key in known[name])
        assert any(key.startswith("od_mrd1_mm:") for key in known[name]) == ("strict" not in name)
    assert any(":speed" in key for key in known["strict"])
    # Held over two seconds, 24 frames do not move.
    held = told["strict, coarse time"]
    assert all(abs(held[key]) < 1e-9 for key in held if key.startswith("head_yaw_deg:speed"))
    assert any(
        abs(told["strict"][key]) > 0.1 for key in told["strict"] if key.startswith("head_yaw_deg:speed")
    )


def test_the_command_takes_videos_by_person_and_session(video, tmp_path, capsys):
    for session in ("monday", "friday"):
        for number in range(PEOPLE):
            path = tmp_path / "in" / session / f"p{number}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(video, path)
    assert all(map(is_video, read_originals([tmp_path / "in"], "file")))
    words = ["eval", "linkage", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--backend", "cpu"]
    assert cli.main(words) == 0
    assert f"recordings of {PEOPLE}, {PEOPLE} in two sessions; chance 5 %" in (
        said := capsys.readouterr().out
    )
    assert f"Doubtful: {2 * PEOPLE - 1} files are copies of others" in said
    assert f"Doubtful: {2 * PEOPLE} of {2 * PEOPLE} recordings are shorter than 5 seconds." in said
    figures = json.loads((tmp_path / "out" / "linkage.json").read_text())
    found = {(a["of"], a["attacker"], a["session"]) for a in figures["attacks"]}
    assert {of for of, _, _ in found} == set(RELEASES) and {s for *_, s in found} == {
        "other", "the same recording",
    }  # fmt: skip
    # Everybody is one and the same here: nobody is told from anybody.
    assert all(a["auc"] == pytest.approx(0.5) for a in figures["attacks"] if a["session"] == "other")
    assert "motion" in (tmp_path / "out" / "index.html").read_text()
    shutil.rmtree(tmp_path / "in" / "friday")
    for number in range(5, PEOPLE):
        (tmp_path / "in" / "monday" / f"p{number}.mp4").unlink()
    assert cli.main(words) == 2
    assert "got videos of 5 people" in capsys.readouterr().err
    with pytest.raises(WrongUse, match="no pictures and no videos"):
        read_originals([tmp_path / "out" / "identifying"], "file")
