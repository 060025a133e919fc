"""`dmask demo` on the project's own synthetic patient."""

import numpy as np
import pytest

from dmask import cli
from dmask.axes import KAPPA_DEG
from dmask.synthetic.demo import (
    AXES_APART_DEG,
    BLINKS_S,
    EXOTROPIA_DEG,
    NYSTAGMUS_DEG,
    NYSTAGMUS_S,
    axes_sentence,
    excursion_deg,
    motion,
)
from dmask.synthetic.patient import SyntheticPatient


def test_the_patient_moves_as_described():
    patient = SyntheticPatient(size=(64, 64))
    pose = motion(patient, 0.0)
    assert pose.os_yaw_deg - pose.od_yaw_deg == pytest.approx(EXOTROPIA_DEG + 2 * KAPPA_DEG)
    assert AXES_APART_DEG == pytest.approx(pose.os_yaw_deg - pose.od_yaw_deg)
    assert f"{EXOTROPIA_DEG:g} + 2 x {KAPPA_DEG:g} = {AXES_APART_DEG:g} degrees" in axes_sentence()
    assert motion(patient, BLINKS_S[0]).od_closure == 1.0 and pose.od_closure == 0.0
    beat = [excursion_deg(NYSTAGMUS_S[0] + 0.01 * i) for i in range(100)]
    assert 0.9 * NYSTAGMUS_DEG < np.ptp(beat) <= 1.01 * NYSTAGMUS_DEG


def test_a_fixating_eye_points_at_the_camera_whatever_the_head_does():
    patient = SyntheticPatient(size=(64, 64), place_mm=(0.0, 0.0, 500.0))
    straight_deg, _ = patient.fixation("os", motion(patient, 0.0))
    turned = motion(patient, 1.25)  # the head is turned 6 degrees to the patient's left
    assert turned.head_yaw_deg == pytest.approx(6.0)
    assert patient.fixation("os", turned)[0] == pytest.approx(straight_deg - 6.0, abs=1.0)


def test_demo_makes_a_mask_and_compares_it_with_the_truth(tmp_path, capsys):
    out = tmp_path / "demo"
    assert cli.main(["demo", "-o", str(out), "--seconds", "2"]) == 0
    said = capsys.readouterr().out
    assert "mask.mp4" in said and axes_sentence() in said
    true_deg = float(next(line for line in said.splitlines() if line.startswith("os-od yaw_deg")).split()[2])
    assert true_deg == pytest.approx(AXES_APART_DEG, abs=0.01)  # the sentence is of the table below it
    names = {path.name for path in out.iterdir()}
    assert names == {"patient.mp4", "truth.csv", "result", "side_by_side.png"}
    assert (out / "result" / "mask.mp4").exists()
    assert len((out / "truth.csv").read_text().splitlines()) == 61
