"""Patients as a camera sees them: what is drawn keeps the patient's truth, and training gets it as it is."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs scipy: pip install '.[train]'")

import dmask  # noqa: E402
from dmask import cli  # noqa: E402
from dmask.synthetic.patient import Pose, SyntheticPatient  # noqa: E402
from dmask.train import render_patients, studio  # noqa: E402
from dmask.train.data import eyes, faces  # noqa: E402
from dmask.train.studio import Lens, Studio, StudioAssets  # noqa: E402

SIZE = 480
CLEAR = Lens(1.0, np.ones(3, np.float32), 0.0, 2.2, 1.0, 1.0, 0.3, 0.0, 0.0, None)


@pytest.fixture(scope="module")
def assets(shared: Path) -> StudioAssets:
    folders = shared / "data/ict_facekit", shared / "data/unityeyes2"
    for folder in folders:
        if not folder.is_dir():
            pytest.skip(f"needs {folder.name}: {folder} is not there")
    return StudioAssets.load(*folders)


def recording(assets: StudioAssets, seed: int = 7, size: int = SIZE, lens: Lens | None = CLEAR) -> Studio:
    return Studio(SyntheticPatient(seed, (size, size)), assets, seed, lens)


def test_a_frame_has_the_patients_truth_and_size(assets):
    made = recording(assets)
    pose = Pose(head_yaw_deg=8, od_yaw_deg=4, os_closure=0.5)
    frame, truth = made.photograph(pose, 0)
    assert frame.shape == (SIZE, SIZE, 3) and frame.dtype == np.uint8
    assert truth == SyntheticPatient(7, (SIZE, SIZE)).render(pose)[1]


def test_a_seed_makes_the_same_recording_again_and_another_one_another(assets):
    frame, _ = recording(assets, lens=None).photograph(Pose(), 3)
    assert np.array_equal(frame, recording(assets, lens=None).photograph(Pose(), 3)[0])
    other = Studio(SyntheticPatient(7, (SIZE, SIZE)), assets, 8)
    assert np.abs(other.photograph(Pose(), 3)[0].astype(int) - frame).mean() > 5


def test_a_still_scene_differs_by_the_cameras_noise_alone(assets):
    made = recording(assets)
    assert np.array_equal(made.photograph(Pose(), 0)[0], made.photograph(Pose(), 1)[0])
    made.lens = Lens(1.0, np.ones(3, np.float32), 0.0, 2.2, 1.0, 1.0, 0.3, 0.0, 0.02, None)
    first, second = (made.photograph(Pose(), k)[0].astype(float) for k in (0, 1))
    assert 2 < (first - second).std() < 12


def globe_seen(made: Studio, pose: Pose, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """(H,W) bool: where the frame changes with the eyeballs' colour."""
    draw, frames = studio.draw_globe, []
    for level in (0.0, 4.0):

        def painted(picture, *args, level=level, **kwargs):
            seen = draw(picture, *args, **kwargs)
            picture[seen] = level
            return seen

        monkeypatch.setattr(studio, "draw_globe", painted)
        monkeypatch.setattr(studio, "draw_lashes", lambda *args: None)
        frames.append(made.photograph(pose, 0)[0].astype(int))
    return np.abs(frames[1] - frames[0]).max(2) > 110


@pytest.mark.parametrize("closure", [0.0, 0.5])
def test_the_globe_is_seen_between_the_margins(assets, monkeypatch, closure):
    made = recording(assets, size=960)
    made.sheets, made.spectacles = [], False
    pose = Pose(od_closure=closure, os_closure=closure)
    seen = globe_seen(made, pose, monkeypatch)
    px_per_mm = made.patient.focal_px / 420
    for eye in ("od", "os"):
        upper, lower = made.patient.margins(eye)
        middle = int(round(float(upper[:, 0].mean())))
        off = []
        for x in range(middle - int(4 * px_per_mm), middle + int(4 * px_per_mm)):
            rows = np.flatnonzero(seen[:, x])
            for line, row in ((upper, rows[0] - 0.5), (lower, rows[-1] + 0.5)):
                order = np.argsort(line[:, 0])
                off.append(row - np.interp(x, line[order, 0], line[order, 1]))
        off_mm = np.array(off).reshape(-1, 2) / px_per_mm
        assert np.abs(off_mm.mean(0)).max() < 0.15 and np.abs(off_mm).max() < 0.5


def test_a_shut_eye_shows_no_globe(assets, monkeypatch):
    made = recording(assets, size=960)
    made.sheets, made.spectacles = [], False
    seen = globe_seen(made, Pose(od_closure=1, os_closure=1), monkeypatch)
    outline = np.vstack([made.patient.lid_outline(eye) for eye in ("od", "os")])
    (x0, y0), (x1, y1) = outline.min(0).astype(int) - 9, outline.max(0).astype(int) + 9
    assert not seen[y0:y1, x0:x1].any()


def test_nothing_hangs_before_the_eyes_unless_it_may(assets):
    for seed in range(20, 32):
        patient = SyntheticPatient(seed, (SIZE, SIZE))
        made = Studio(patient, assets, seed, CLEAR)
        made.spectacles = False
        made.photograph(Pose(), 0)
        _, seen = made.landmarks68(Pose())
        assert seen[36:48].all(), seed


def test_the_68_points_lie_on_the_face_that_is_drawn(assets):
    made = recording(assets)
    pose = Pose(head_yaw_deg=15)
    made.photograph(pose, 0)
    xy, seen = made.landmarks68(pose)
    assert seen.mean() > 0.7
    for eye, corners in (("od", (39, 36)), ("os", (42, 45))):
        upper, lower = made.patient.margins(eye)
        ends = 0.5 * (upper[[0, -1]] + lower[[0, -1]])
        assert np.linalg.norm(xy[list(corners)] - ends, axis=1).max() < 0.06 * np.ptp(xy[:, 0])
    assert xy[8, 1] == xy[:, 1].max() and xy[30, 0] > xy[27, 0]  # chin below; the nose turns to the right


def test_training_gets_eyes_with_the_meshes_margins(assets):
    for drawn in (None, assets):
        pairs = render_patients.eyes_of_patient(np.random.default_rng(5), drawn)
        assert len(pairs) >= 2
        for image, labels in pairs:
            assert image.shape == (eyes.HEIGHT_PX, eyes.WIDTH_PX, 3)
            assert labels["canthi"][:, 1] == pytest.approx(labels["canthi"][0, 1], abs=1e-3)
            assert labels["canthi"][0, 0] < labels["canthi"][1, 0]  # the inner one left, of either eye
            heights = labels["lid"][1:10, 1] - labels["lid"][19:10:-1, 1]
            assert (heights <= 1e-6).all()
            assert labels["iris"].shape == (19, 2) and np.isfinite(labels["iris"]).all()


def test_training_gets_files_that_it_can_read(assets, shared, tmp_path):
    folders = ["--ict", str(shared / "data/ict_facekit"), "--unityeyes2", str(shared / "data/unityeyes2")]
    for name, more in (("eyes", []), ("faces", ["--faces"])):
        output = tmp_path / f"{name}.npz"
        command = ["train", "render-patients", "-o", str(output), "--count", "2", "--seed", "4"]
        assert cli.main([*command, *folders, *more]) == 0
    read = eyes.read_synthetic([tmp_path / "eyes.npz"])
    assert len(read) > 0 and all(name.startswith("patient ") for name in read.name)
    images, points, visible = faces.read_synthetic_faces([tmp_path / "faces.npz"])
    assert len(images) > 0 and points.shape[1:] == (68, 2) and visible.any()


def test_half_of_the_studio_is_refused(capsys):
    command = ["train", "render-patients", "-o", "x.npz", "--count", "1"]
    assert cli.main([*command, "--ict", "here"]) == 2
    assert cli.main([*command, "--faces"]) == 2
    assert cli.main(["eval", "rendered", "--patients", "1", "--ict", "here"]) == 2
    assert "expected both" in capsys.readouterr().err


def test_pictures_go_to_an_npz_alone_and_damaged_folders_are_named(tmp_path, capsys):
    for output in (tmp_path / "data", tmp_path / "data.csv", tmp_path):
        assert cli.main(["train", "render-patients", "-o", str(output), "--count", "1"]) == 2
    assert "ends in .npz" in capsys.readouterr().err
    (tmp_path / "ict_light.npz").write_bytes(b"PK cut off")
    (tmp_path / "vertex_indices.json").write_text('{"idx_to_landmark_verts": []}')
    folders = ["--ict", str(tmp_path), "--unityeyes2", str(tmp_path)]
    assert cli.main(["eval", "rendered", "--patients", "1", *folders]) == 1
    assert "is damaged" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.partial"))


def test_a_patient_who_cannot_be_seen_is_drawn_again():
    asked = []

    def draw(rng: np.random.Generator) -> list:
        asked.append(rng.random())
        return [("picture", {})] if len(asked) == 3 else []

    assert render_patients.some_of(draw, np.random.default_rng(0)) == [("picture", {})]
    assert len(set(asked)) == 3


def test_an_iris_is_drawn_as_large_as_it_is(assets):
    for radius_mm in (5.2, 6.3):
        patient = SyntheticPatient(7, (960, 960), iris_radius_mm=radius_mm)
        made = Studio(patient, assets, 7, CLEAR)
        made.sheets, made.spectacles, made.liner = [], False, 0.0
        frame, _ = made.photograph(Pose(), 0)
        ring = patient.in_picture(patient.limbus("od", Pose()), Pose())
        sideways = (
            (ring[5] - ring[14]) / np.linalg.norm(ring[5] - ring[14]) * patient.focal_px / 400
        )  # px a mm
        mm = np.linspace(-8, 8, 641)
        at = (ring[0] + mm[:, None] * sideways).astype(np.float32)[None]
        grey = cv2.remap(
            cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32), at, None, cv2.INTER_LINEAR
        )
        slope = np.abs(np.gradient(cv2.GaussianBlur(grey, (0, 0), 6)[0]))
        for side in (-1, 1):
            near = (side * mm > 4) & (side * mm < 7.5)
            assert side * mm[near][slope[near].argmax()] == pytest.approx(radius_mm, abs=0.2)


def test_points_of_a_convention_lie_beside_those_of_the_mesh(assets):
    made = recording(assets)
    made.photograph(Pose(), 0)
    on_mesh, seen = made.landmarks68(Pose(), np.zeros((68, 3)))
    offset_mm = np.zeros((68, 3))
    offset_mm[[5, 30], 1] = 2.0
    moved, still_seen = made.landmarks68(Pose(), offset_mm)
    px_per_mm = made.patient.focal_px / 420
    up_px = on_mesh[:, 1] - moved[:, 1]
    assert up_px[30] == pytest.approx(2 * px_per_mm, rel=0.15)  # the nose is nearer than the eyes
    assert np.abs(np.delete(moved - on_mesh, 30, 0)).max() == 0  # the contour is the mesh's either way
    assert np.array_equal(np.delete(seen, 30), np.delete(still_seen, 30))


def test_the_corneal_reflex_of_a_flash_tells_the_gaze(assets):
    size, tried = 1000, Pose(od_yaw_deg=9, os_yaw_deg=-6, od_pitch_deg=3, os_pitch_deg=3, head_yaw_deg=4)
    made = Studio(SyntheticPatient(7, (size, size)), assets, 7, CLEAR, flash=True)
    made.spectacles = False
    frame, truth = made.photograph(tried, 0)
    found = {}
    for lamp in ("camera", "unknown"):
        pipeline = dmask.Pipeline(dmask.Options(profile="clinical", backend="cpu", lamp=lamp))
        found[lamp] = pipeline.process(frame, time_s=0.0)
    for eye in ("od", "os"):
        one, none = getattr(found["camera"], eye), getattr(found["unknown"], eye)
        assert 0.5 < one.reflex_yaw_sd_deg < 4 < one.reflex_pitch_sd_deg < 7
        for axis in ("yaw", "pitch"):
            error = getattr(one, f"reflex_{axis}_deg") - truth[f"{eye}_{axis}_deg"]
            assert abs(error) < 2.5 * one.reflex_yaw_sd_deg
            assert np.isnan(getattr(none, f"reflex_{axis}_deg"))
            assert getattr(one, f"{axis}_deg") == getattr(none, f"{axis}_deg")  # it is a measure of its own
    strict = dmask.Pipeline(dmask.Options(profile="strict", backend="cpu", lamp="camera"))
    withheld = strict.process(frame, time_s=0.0)
    assert withheld.od.valid and np.isnan(withheld.od.reflex_yaw_deg)
    assert np.isnan(withheld.od.reflex_yaw_sd_deg)


def test_a_picture_of_a_flash_is_measured_from_the_command_line(assets, tmp_path):
    made = Studio(SyntheticPatient(7, (1000, 1000)), assets, 7, CLEAR, flash=True)
    made.spectacles = False
    frame, truth = made.photograph(Pose(od_yaw_deg=2, os_yaw_deg=-6), 0)
    cv2.imwrite(str(tmp_path / "flash.png"), frame)
    out = tmp_path / "out"
    assert cli.main(["run", str(tmp_path / "flash.png"), "-o", str(out), "--lamp", "camera"]) == 0
    summary = json.loads((out / "summary.json").read_text())
    found = summary["deviation_os_minus_od"]["by_corneal_reflex"]["horizontal_deg"]
    low, high = found["interval_95"]
    assert low < truth["os_yaw_deg"] - truth["od_yaw_deg"] < high
    assert json.loads((out / "run.json").read_text())["options"]["lamp"] == "camera"
