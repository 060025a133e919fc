"""Rendered faces: labels sit where the iBUG convention puts them, and the same seed makes the same face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs scipy: pip install '.[train]'")

from dmask.crops import FACE_PX  # noqa: E402
from dmask.train.render_faces import dress, render  # noqa: E402
from dmask.train.render_faces.render import Head, Pose  # noqa: E402

COUNT = 24
OD_EYE, OS_EYE = np.s_[36:42], np.s_[42:48]


@pytest.fixture(scope="module")
def ict(shared: Path) -> Path:
    folder = shared / "data/ict_facekit"
    if not folder.is_dir():
        pytest.skip(f"needs ICT-FaceKit: {folder} is not there")
    return folder


@pytest.fixture(scope="module")
def head(ict: Path) -> Head:
    return render.load(ict)


@pytest.fixture(scope="module")
def faces(head: Head) -> dict[str, np.ndarray]:
    return render.render_faces(head, seed=5, first=0, count=COUNT)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch):
    """Heads in a given pose with nothing on; returns a function that sets the pose."""
    monkeypatch.setattr(dress, "make_hair", lambda *_: None)
    monkeypatch.setattr(dress, "add_spectacles", lambda *_: 0)
    monkeypatch.setattr(dress, "add_objects", lambda *_: 0)

    def pose(yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> None:
        fixed = Pose(yaw_deg, pitch_deg, roll_deg, 800.0, np.zeros(2))
        monkeypatch.setattr(render, "sample_pose", lambda _: fixed)

    return pose


def test_a_seed_and_an_index_make_the_same_face_again(faces, head):
    image, labels = render.render_face(np.random.default_rng([5, 7]), head)
    assert np.array_equal(image, faces["images"][7])
    assert np.array_equal(labels["xy"].astype(np.float32), faces["xy"][7])
    assert not np.array_equal(image, faces["images"][8])


def test_the_points_fill_the_square_that_training_expects(faces):
    pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
    from dmask.train.data import faces as training

    assert render.SIZE == training.CACHE_PX
    for xy in faces["xy"]:
        centre, side = training.face_box(xy)
        assert np.allclose(centre, (render.SIZE - 1) / 2, atol=1e-2)
        assert side * training.CACHE_MARGIN == pytest.approx(render.SIZE, rel=1e-4)


def test_left_and_right_are_not_swapped(faces):
    frontal = np.abs(faces["yaw_deg"]) < 40
    for xy in faces["xy"][frontal]:
        axis = xy[OS_EYE].mean(0) - xy[OD_EYE].mean(0)
        assert axis[0] > 0  # the patient's right is on the picture's left
        for od, os in ((0, 16), (17, 26), (31, 35), (48, 54)):
            assert (xy[os] - xy[od]) @ axis > 0
    down = faces["xy"][:, 8] - faces["xy"][:, 27]
    assert (down[:, 1] > 0).all()


def test_yaw_and_roll_have_the_documented_sense(head, bare):
    rng = np.random.default_rng
    bare(40.0)
    xy = render.render_face(rng(1), head)[1]["xy"]
    assert xy[16, 0] - xy[30, 0] < xy[30, 0] - xy[0, 0]  # towards the patient's left: his left cheek goes
    bare(0.0, roll_deg=20.0)
    xy = render.render_face(rng(1), head)[1]["xy"]
    assert xy[45, 1] > xy[36, 1] + 3  # clockwise


@pytest.mark.parametrize("yaw_deg", [-45.0, 45.0])
def test_the_far_jaw_of_a_turned_head_is_its_silhouette(head, bare, monkeypatch, yaw_deg):
    """Beside the far points there is no face any more; beside the near ones there is."""
    bare(yaw_deg)
    monkeypatch.setattr(dress, "make_background", lambda _, size: np.full((size, size, 3), 50, np.float32))
    monkeypatch.setattr(render, "sample_expression", lambda *_: {})
    drawn = {}
    take_picture = render.take_picture
    monkeypatch.setattr(
        render,
        "take_picture",
        lambda linear, rng: (drawn.update(at=linear), take_picture(linear, rng))[1],
    )
    xy = render.render_face(np.random.default_rng(3), head)[1]["xy"]
    background = drawn["at"].min(-1) > 5
    outwards = np.sign(yaw_deg)

    def is_background(points: np.ndarray) -> np.ndarray:
        column, row = np.rint((points + 0.5) * render.FINER - 0.5).astype(int).T
        return background[row, column]

    far, near = (np.r_[9:13], np.r_[1:5]) if yaw_deg > 0 else (np.r_[4:8], np.r_[12:16])
    assert is_background(xy[far] + [6 * outwards, 0]).all()
    assert not is_background(xy[far] - [4 * outwards, 0]).any()
    assert not is_background(xy[near] - [4 * outwards, 0]).any()


def test_the_head_hides_points_that_are_turned_away(head, bare):
    bare(58.0)
    hidden = [render.render_face(np.random.default_rng(k), head)[1]["visible"] == 0 for k in range(6)]
    assert np.mean([h[OS_EYE].any() for h in hidden]) > 0.5
    assert not np.any([h[OD_EYE].any() for h in hidden])
    bare(0.0)
    frontal = render.render_face(np.random.default_rng(0), head)[1]
    assert frontal["visible"].all()


def test_points_behind_an_object_are_hidden(head, bare, monkeypatch):
    def cover_the_mouth(linear, hidden, face_px, *_):
        low, high = face_px[48:68].min(0).astype(int) - 4, face_px[48:68].max(0).astype(int) + 5
        hidden[low[1] : high[1], low[0] : high[0]] = 1
        return dress.OBJECT

    bare(0.0)
    monkeypatch.setattr(dress, "add_objects", cover_the_mouth)
    for k in range(60):
        labels = render.render_face(np.random.default_rng(k), head)[1]
        if labels["occluder"] & dress.OBJECT:
            assert not labels["visible"][48:68].any()
            assert labels["visible"][OD_EYE].all()
            return
    raise AssertionError("no face of 60 had an object before it")


def test_a_shut_eye_has_its_margins_together_and_an_open_mouth_its_lips_apart(head, bare, monkeypatch):
    bare(0.0)

    def gap(units: dict[str, float], upper: int, lower: int, across: tuple[int, int]) -> float:
        monkeypatch.setattr(render, "sample_expression", lambda *_: units)
        xy = render.render_face(np.random.default_rng(2), head)[1]["xy"]
        return float((xy[lower, 1] - xy[upper, 1]) / np.linalg.norm(xy[across[1]] - xy[across[0]]))

    assert gap({}, 37, 41, (36, 39)) > 0.15
    assert gap({"eyeBlink_L": 1.0, "eyeBlink_R": 1.0}, 37, 41, (36, 39)) < 0.08
    assert gap({"jawOpen": 0.6}, 62, 66, (48, 54)) > 0.3


def test_a_wrong_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="ict_light.npz"):
        render.load(tmp_path)


def test_the_sampler_mirrors_what_is_visible_with_the_points(faces, tmp_path):
    pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
    from dmask.train.data import faces as training

    visible = np.zeros((COUNT, 68), np.uint8)
    visible[:, :8] = 1  # the patient's right half of the jaw
    np.savez(tmp_path / "train_000.npz", **(faces | {"visible": visible}))
    sampler = training.SyntheticFaceSampler(*training.read_synthetic_faces([tmp_path / "train_000.npz"]))
    batch = sampler.batch(np.random.default_rng(0), 40, 0.0)
    assert batch["image"].shape == (40, FACE_PX, FACE_PX, 3)
    upright = batch["weight"].any(1)  # a face that stands on its head teaches that it is none
    assert not batch["visible"][~upright].any() and upright.mean() > 0.7
    right, left = batch["visible"][:, :8].any(1), batch["visible"][:, 9:17].any(1)  # what no cover hides
    assert not (right & left).any() and right.sum() > 5 and left.sum() > 5
    assert (batch["xy_px"][:, 27, 1] < batch["xy_px"][:, 8, 1]).all()


def test_no_rendered_faces_are_an_error():
    pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
    from dmask.train.data import faces as training

    with pytest.raises(FileNotFoundError, match="rendered faces"):
        training.read_synthetic_faces([])
