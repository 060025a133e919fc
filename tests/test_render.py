"""The mask renderer through its binding, and the face model as it shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dmask
from dmask import _core
from dmask.io import container
from dmask.ranges import LARGEST_PX

FACE = Path(dmask.__file__).parent / "models/face.dmm"
HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])
BACKGROUND = 236
SQUARE = np.float32([[-20, -20, 100], [20, -20, 100], [20, 20, 100], [-20, 20, 100]])
SQUARE_TRIANGLES = np.int32([[0, 2, 1], [0, 3, 2]])


def draw(vertices, triangles, albedo=None, width=64, height=48, focal_px=100.0, **more) -> np.ndarray:
    albedo = np.full((len(vertices), 3), 0.5, np.float32) if albedo is None else albedo
    return _core.Renderer().render_scene(
        vertices, triangles, albedo, focal_px=focal_px, cx=(width - 1) / 2, cy=(height - 1) / 2,
        width=width, height=height, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def face() -> dict[str, np.ndarray]:
    return container.read(FACE)


def portrait(face: dict[str, np.ndarray], size: int, axis_head=(0.0, 0.0, 1.0), globes: bool = True):
    """The mean face and the pixels of both eyeball centres, OD then OS."""
    head = face["mean"].astype(np.float64)
    shift = np.array([0.0, 0.0, 600.0]) - HEAD_TO_CAMERA @ [0.0, head[:, 1].mean(), 40.0]
    centres = np.array([[-31.8, 35.7, 84.2], [31.8, 35.7, 84.2]]) @ HEAD_TO_CAMERA + shift
    focal_px = 2.3 * size
    picture = draw(
        head @ HEAD_TO_CAMERA + shift, face["triangles"], face["albedo"], size, size, focal_px,
        globes=[_core.Globe(c, HEAD_TO_CAMERA @ axis_head) for c in centres] if globes else [],
    )  # fmt: skip
    return picture, focal_px * centres[:, :2] / centres[:, 2:] + (size - 1) / 2


def test_a_picture_has_the_camera_size_and_the_background_beside_the_mesh():
    picture = draw(SQUARE, SQUARE_TRIANGLES)
    assert picture.shape == (48, 64, 3) and picture.dtype == np.uint8
    assert (picture[:, :8] == BACKGROUND).all()
    assert (picture[10:38, 20:44] != BACKGROUND).all()


def test_the_background_can_be_chosen():
    picture = draw(SQUARE, SQUARE_TRIANGLES, background_bgr=(1, 2, 3))
    assert (picture[:, :8] == (1, 2, 3)).all()


def test_albedo_is_bgr():
    picture = draw(SQUARE, SQUARE_TRIANGLES, np.tile(np.float32([0.8, 0.1, 0.1]), (4, 1)))
    blue, green, red = picture[24, 32].astype(int)
    assert blue > green + 40 and blue > red + 40


@pytest.mark.parametrize(
    ("vertices", "triangles", "albedo", "said"),
    [
        (SQUARE[:, :2], SQUARE_TRIANGLES, None, "vertices has 2 dimensions and 2 columns"),
        (SQUARE, SQUARE_TRIANGLES[:, :2], None, "triangles has 2 dimensions and 2 columns"),
        (SQUARE, SQUARE_TRIANGLES + 1, None, "names vertex 4, expected 0 .. 3"),
        (SQUARE, SQUARE_TRIANGLES - 1, None, "names vertex -1"),
        (SQUARE, SQUARE_TRIANGLES, SQUARE[:3], "4 vertices and albedo for 3"),
    ],
)
def test_wrong_arrays_are_errors_that_say_what_was_expected(vertices, triangles, albedo, said):
    with pytest.raises(_core.Error, match=said):
        draw(vertices, triangles, albedo)


def test_a_camera_without_size_is_an_error():
    with pytest.raises(_core.Error, match="0 x 48"):
        draw(SQUARE, SQUARE_TRIANGLES, width=0)


@settings(max_examples=150, deadline=None)
@given(
    vertices=arrays(np.float32, (12, 3), elements=st.floats(width=32)),
    triangles=arrays(np.int32, (9, 3), elements=st.integers(0, 11)),
    albedo=arrays(np.float32, (12, 3), elements=st.floats(width=32)),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
)
def test_any_numbers_make_a_picture_and_always_the_same(vertices, triangles, albedo, width, height):
    globes = [_core.Globe(vertices[0], vertices[1], radius_mm=abs(float(vertices[2, 0])))]
    first = draw(vertices, triangles, albedo, width, height, globes=globes)
    assert first.shape == (height, width, 3)
    assert (first == draw(vertices, triangles, albedo, width, height, globes=globes)).all()


@pytest.mark.parametrize("size", [16, 128, 512])
def test_the_mean_face_hides_the_background(face, size):
    picture, _ = portrait(face, size)
    middle = picture[int(0.35 * size) : int(0.7 * size), int(0.35 * size) : int(0.65 * size)]
    assert (middle != BACKGROUND).any(axis=2).all()
    assert (picture[: size // 16, : size // 16] == BACKGROUND).all()


def test_the_pupils_of_the_mean_face_follow_the_gaze(face):
    ahead, eyes_px = portrait(face, 512)
    aside, _ = portrait(face, 512, (np.sin(0.4), 0.0, np.cos(0.4)))

    def pupil_x(picture: np.ndarray, eye_px: np.ndarray) -> float:
        x, y = np.round(eye_px).astype(int)
        dark = np.clip(40 - picture[y - 4 : y + 5, x - 14 : x + 15].mean(axis=2), 0, None)
        return float((dark * np.arange(-14, 15)).sum() / dark.sum())

    millimetre_px = 2.3 * 512 / 556
    for eye_px in eyes_px:
        moved_mm = (pupil_x(aside, eye_px) - pupil_x(ahead, eye_px)) / millimetre_px
        assert moved_mm == pytest.approx(11.85 * np.sin(0.4), abs=0.5)


def test_the_iris_shows_between_the_lids_only(face):
    with_globes, eyes_px = portrait(face, 512)
    without, _ = portrait(face, 512, globes=False)
    changed = (with_globes != without).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 300
    for x, y in np.stack([columns, rows], axis=1):
        assert np.abs(eyes_px - [x, y]).max(axis=1).min() < 13 * 2.3 * 512 / 540  # nowhere off the eyes
    x, y = np.round(eyes_px[0]).astype(int)
    assert not changed[y - 24, x] and not changed[y + 24, x]  # skin


def test_the_largest_picture_is_the_core_s():
    frame = np.zeros((1, LARGEST_PX, 3), np.uint8)
    with pytest.raises(dmask.Error, match="at least 16 x 16"):  # not for its width
        _core.Detector(str(FACE.parent)).detect(frame, 0.0)
    with pytest.raises(dmask.Error, match=f"at most {LARGEST_PX}"):
        _core.Detector(str(FACE.parent)).detect(np.zeros((1, LARGEST_PX + 1, 3), np.uint8), 0.0)
