"""What is done to faces instead of masking them: what each hides, and what it leaves."""

import numpy as np
import pytest
from conftest import face_points

from dmask.evaluate.linkage import obscured

NAMES = [name for name in obscured.METHODS if name != "original"]


@pytest.fixture
def picture():
    """Noise, so that whatever is touched is changed."""
    return np.random.default_rng(0).integers(1, 256, (240, 320, 3), dtype=np.uint8)


def about(points, picture, margin=0):
    """A mask of the picture's pixels in the box of points."""
    mask = np.zeros(picture.shape[:2], bool)
    (left, top), (right, bottom) = points.min(0) - margin, points.max(0) + margin
    mask[round(top) : round(bottom), round(left) : round(right)] = True
    return mask


@pytest.mark.parametrize("name", obscured.METHODS)
def test_size_and_the_given_picture_stay_and_the_result_is_the_same_each_time(name, picture):
    before, points = picture.copy(), face_points()
    first, second = (obscured.METHODS[name](picture, points) for _ in range(2))
    assert first.shape == picture.shape and first.dtype == np.uint8 and first is not picture
    assert (picture == before).all() and (first == second).all()


def test_the_original_is_the_picture(picture):
    assert (obscured.original(picture, face_points()) == picture).all()


def test_cropping_leaves_the_eyes_and_blackens_all_else(picture):
    points = face_points()
    kept = obscured.crop(picture, points)
    eyes = about(points[36:48], picture)
    assert (kept == picture)[eyes].all()
    assert not kept[~about(points[36:48], picture, margin=20)].any()
    assert not kept[about(points[48:68], picture)].any()  # the mouth


def test_the_bar_hides_the_eyes_and_leaves_the_mouth(picture):
    points = face_points()
    covered = obscured.bar(picture, points)
    assert not covered[about(points[36:48], picture)].any()
    assert (covered == picture)[about(points[48:68], picture)].all()


def test_the_bar_follows_the_head_s_roll(picture):
    points = face_points(roll_deg=40)
    covered = obscured.bar(picture, points)
    for x, y in points[36:48].round().astype(int):
        assert not covered[y, x].any()
    assert (covered == picture)[about(points[48:68], picture)].mean() > 0.99


@pytest.mark.parametrize("name", ["blur", "pixels", "deface"])
def test_a_face_s_detail_goes_and_what_is_round_it_stays(name, picture):
    points = face_points()
    done = obscured.METHODS[name](picture, points)
    inner = about(points[27:68], picture)
    assert done[inner].std() < 0.35 * picture[inner].std()
    far = ~about(points, picture, margin=60)
    assert far.sum() > 1000 and (done == picture)[far].all()


def test_a_mosaic_has_the_cells_of_its_face_however_large_the_picture():
    for scale in (1, 3):
        picture = np.random.default_rng(1).integers(0, 256, (240 * scale, 320 * scale, 3), dtype=np.uint8)
        points = face_points() * scale
        row = obscured.pixels(picture, points)[round(points[30, 1])].astype(int)
        left, right = round(points[:, 0].min()), round(points[:, 0].max())
        assert np.abs(np.diff(row[left:right], axis=0)).any(1).sum() == obscured.CELLS_ACROSS - 1


def test_deface_is_the_ellipse_of_its_box_and_not_the_corners(picture):
    points = face_points()
    box = obscured.face_box(points).grown(0.3, 0.3, 0.3, 0.3)
    done = obscured.deface(picture, points)
    assert (done == picture)[round(box.top) + 3, round(box.left) + 3].all()
    assert (done != picture)[round((box.top + box.bottom) / 2), round(box.left) + 6].any()


@pytest.mark.parametrize("name", obscured.METHODS)
@pytest.mark.parametrize(
    "points",
    [
        np.full((68, 2), 50.0),
        np.full((68, 2), -1e7),
        face_points() * 1000,
        face_points() - 1e5,
        np.tile([[319.6, 239.6]], (68, 1)),
        np.random.default_rng(3).uniform(-500, 800, (68, 2)),
    ],
    ids=["one point", "far outside", "huge", "outside", "in the corner", "no face"],
)
def test_points_of_no_face_do_no_harm(name, points, picture):
    assert obscured.METHODS[name](picture, points).shape == picture.shape


@pytest.mark.parametrize("name", NAMES)
def test_unknown_points_are_refused(name, picture):
    for bad in (np.full((68, 2), np.nan), face_points()[:5]):
        with pytest.raises(ValueError, match="expected 68 known points"):
            obscured.METHODS[name](picture, bad)
