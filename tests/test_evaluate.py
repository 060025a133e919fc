"""`dmask eval`: the figures are there, and the rendered patient's truth is right."""

import json

import numpy as np
import pytest

from dmask import cli
from dmask._core import head_rotation
from dmask.axes import HEAD_TO_CAMERA
from dmask.synthetic.patient import Pose, SyntheticPatient


@pytest.fixture(scope="module")
def patient():
    return SyntheticPatient(seed=3, size=(240, 240))


def test_head_rotation_turns_the_face_as_its_names_say():
    nose = np.array([0.0, 0.0, 1.0])
    assert (HEAD_TO_CAMERA @ head_rotation(20, 0, 0) @ nose)[0] > 0.3  # towards the patient's left
    assert (HEAD_TO_CAMERA @ head_rotation(0, 20, 0) @ nose)[1] > 0.3  # up
    assert (HEAD_TO_CAMERA @ head_rotation(0, 0, 20) @ [1, 0, 0])[1] > 0.3  # patient's left side raised


def test_the_iris_moves_to_the_patients_left_with_yaw(patient):
    def iris_column(yaw_deg):  # of OS, in the right half of the picture: its darkest part
        frame, _ = patient.render(Pose(os_yaw_deg=yaw_deg))
        eye = frame[60:140, 125:185].astype(float).sum(axis=2)
        return np.argwhere(eye < np.percentile(eye, 1))[:, 1].mean()

    assert iris_column(20) > iris_column(-20) + 2


def test_a_shut_eye_has_a_fissure_of_0_and_no_mrd(patient):
    _, truth = patient.render(Pose(os_closure=1.0))
    assert truth["os_pfh_mm"] == 0.0 and np.isnan(truth["os_mrd1_mm"])
    assert 7 < truth["od_pfh_mm"] < 13
    assert truth["od_mrd1_mm"] + truth["od_mrd2_mm"] == pytest.approx(truth["od_pfh_mm"])


def test_ptosis_lowers_the_upper_lid_only():
    _, plain = SyntheticPatient(seed=3, size=(64, 64)).render(Pose())
    _, ptosis = SyntheticPatient(seed=3, size=(64, 64), ptosis=(0.8, 0.0)).render(Pose())
    assert ptosis["od_mrd1_mm"] < plain["od_mrd1_mm"] - 0.5
    assert ptosis["od_mrd2_mm"] == pytest.approx(plain["od_mrd2_mm"], abs=0.5)
    assert ptosis["os_mrd1_mm"] == pytest.approx(plain["os_mrd1_mm"], abs=1e-3)


def test_the_same_seed_is_the_same_person(patient):
    again = SyntheticPatient(seed=3, size=(240, 240))
    assert np.array_equal(patient.render(Pose())[0], again.render(Pose())[0])
    other = SyntheticPatient(seed=4, size=(240, 240))
    assert not np.array_equal(patient.render(Pose())[0], other.render(Pose())[0])


def test_eval_rendered_measures_the_head(tmp_path, capsys):
    report = tmp_path / "figures.json"
    arguments = ["eval", "rendered", "--patients", "1", "--frames", "24", "--size", "480"]
    assert cli.main([*arguments, "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["faces_valid_share"] > 0.9
    assert figures["head_yaw_deg_median"] < 5
    assert "head_yaw_deg_median" in capsys.readouterr().out


def test_eval_residual_reads_a_result(tmp_path, capsys, patient_video):
    own = tmp_path / "own"
    assert cli.main(["run", str(patient_video), "-o", str(tmp_path / "out"), "--diagnostics", str(own)]) == 0
    assert cli.main(["eval", "residual", str(own)]) == 0
    assert "eyelid_are_pct" in (told := capsys.readouterr().out)
    once = int(told.split("eyelid_eyes_and_frames")[1].split()[0])
    assert cli.main(["eval", "residual", str(tmp_path / "out")]) == 2
    assert "--diagnostics" in capsys.readouterr().err
    assert cli.main(["eval", "residual", str(own), str(tmp_path / "out")]) == 2  # no folder is left out
    capsys.readouterr()
    for wrong, said in ((tmp_path, f"name them, as {own}"), (tmp_path / "none", "is no folder")):
        assert cli.main(["eval", "residual", str(wrong)]) == 2
        assert said in capsys.readouterr().err
    header, row = (own / "diagnostics.csv").read_text().splitlines()[:2]
    for content, said in (
        (header + "\n", "has no frames"),
        (f"{header}\n{',' * row.count(',')}\n", "no eye was measured"),
    ):
        (tmp_path / "diagnostics.csv").write_text(content)
        assert cli.main(["eval", "residual", str(tmp_path)]) == 2
        assert said in capsys.readouterr().err
    for residual in ("-1", "inf"):
        row_of_it = ",".join([residual] * header.count(",") + [residual])
        (tmp_path / "diagnostics.csv").write_text(f"{header}\n{row_of_it}\n")
        assert cli.main(["eval", "residual", str(tmp_path)]) == 1
        assert "no distance" in capsys.readouterr().err
    report = tmp_path / "report.json"
    for folders in ([own], [own, own / "."]):
        assert cli.main(["eval", "residual", *map(str, folders), "--json", str(report)]) == 0
        assert json.loads(report.read_text())["eyelid_eyes_and_frames"] == once
    for foreign in ("a,b\n1,2\n", (own / "diagnostics.csv").read_text() + "9,none\n"):
        (tmp_path / "diagnostics.csv").write_text(foreign)
        capsys.readouterr()
        assert cli.main(["eval", "residual", str(tmp_path)]) == 1
        assert "expected a table that `dmask run` wrote" in capsys.readouterr().err
