"""Rendered eyes: labels obey the anatomy and the order that the nets are trained with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dmask._core", reason="needs the extension dmask._core: pip install .")

from dmask._core import gbuffer  # noqa: E402
from dmask.train import synthetic_eyes, synthetic_eyes_geometry  # noqa: E402
from dmask.train.synthetic_eyes_assets import EyeAssets, load_assets  # noqa: E402

COUNT = 48


def turn(points: np.ndarray) -> np.ndarray:
    """Cross product of each point (n,18,2) with the next; + is clockwise in a picture."""
    following = np.roll(points, -1, 1)
    return points[..., 0] * following[..., 1] - points[..., 1] * following[..., 0]


@pytest.fixture(scope="module")
def unityeyes2(shared: Path) -> Path:
    folder = shared / "data/unityeyes2"
    if not folder.is_dir():
        pytest.skip(f"needs the eye meshes and skins: {folder} is not there")
    return folder


@pytest.fixture(scope="module")
def assets(unityeyes2: Path) -> EyeAssets:
    return load_assets(unityeyes2, "validation")


@pytest.fixture(scope="module")
def eyes(assets: EyeAssets) -> dict[str, np.ndarray]:
    return synthetic_eyes.render_eyes(assets, seed=5, first=0, count=COUNT)


def test_a_shut_eye_shows_no_limbus_and_its_margins_coincide(eyes):
    shut = eyes["closed"] == 1
    assert shut.any() and not shut.all()
    assert not eyes["iris_visible"][shut].any()
    assert np.allclose(eyes["lid"][shut, 1:10], eyes["lid"][shut, :10:-1], atol=1e-3)
    assert (eyes["openness"][shut] < 1e-3).all()
    assert (eyes["openness"][~shut] > 1e-3).all()


def test_lid_points_are_equally_spaced_along_the_canthal_line(eyes):
    inner, outer = eyes["canthi"][:, 0], eyes["canthi"][:, 1]
    assert np.allclose(eyes["lid"][:, 0], inner, atol=1e-3)
    assert np.allclose(eyes["lid"][:, 10], outer, atol=1e-3)
    assert np.allclose(inner[:, 1], outer[:, 1], atol=0.01)  # the picture lies along them
    s = (eyes["lid"][..., 0] - inner[:, None, 0]) / (outer - inner)[:, None, 0]
    expected = np.concatenate([np.linspace(0, 1, 11), np.linspace(0.9, 0.1, 9)])
    assert np.allclose(s, expected, atol=1e-3)


def test_the_upper_margin_is_never_below_the_lower_one(eyes):
    assert (eyes["lid"][:, 1:10, 1] <= eyes["lid"][:, :10:-1, 1] + 1e-3).all()


def test_the_limbus_runs_clockwise_round_its_centre_from_12_o_clock(eyes):
    relative = eyes["iris"][:, 1:] - eyes["iris"][:, :1]
    assert (turn(relative) > 0).all()  # and the centre is inside
    assert (relative[:, 0, 1] < relative[:, 9, 1]).all()


def test_a_visible_limbus_point_lies_between_the_lids(eyes):
    for lid, iris, visible in zip(eyes["lid"], eyes["iris"], eyes["iris_visible"], strict=True):
        upper, lower = lid[:11], np.concatenate([lid[:1], lid[:9:-1]])
        for x, y in iris[1:][visible[1:] == 1]:
            # Between the stations the margin curves; a pixel of the picture is the visibility's grain.
            assert y > np.interp(x, *upper.T) - 3
            assert y < np.interp(x, *lower.T) + 3


def test_crease_lies_above_the_margin_and_bulge_below(eyes):
    crease, upper, lower, bulge = eyes["lines"].mean(2)[..., 1].T
    assert (crease < upper + 1).all()
    assert (upper <= lower + 1e-3).all()
    assert (bulge > lower).all()


def test_mirroring_keeps_the_limbus_order(eyes):
    mirrored = eyes["iris"] * [-1, 1] + [synthetic_eyes.WIDTH - 1, 0]
    order = np.array([0, 1, *(20 - np.arange(2, 19))])
    relative = mirrored[:, order[1:]] - mirrored[:, :1]
    assert (turn(relative) > 0).all()
    assert np.allclose(mirrored[:, order[1]], mirrored[:, 1])


def test_a_seed_and_an_index_make_the_same_eye_again(eyes, assets):
    again, labels = synthetic_eyes.render_eye(np.random.default_rng([5, 7]), assets)
    assert np.array_equal(again, eyes["images"][7])
    assert np.array_equal(labels["iris"], eyes["iris"][7])


def test_the_skins_and_irises_of_the_splits_are_apart(unityeyes2, assets):
    train = load_assets(unityeyes2, "train")
    assert len(train.skin_names) == 16 and len(assets.skin_names) == 4
    assert not set(train.skin_names) & set(assets.skin_names)
    assert not set(train.iris_names) & set(assets.iris_names)


def test_an_unknown_split_or_a_wrong_folder_is_an_error(tmp_path, unityeyes2):
    with pytest.raises(ValueError, match="expected 'train' or 'validation'"):
        load_assets(unityeyes2, "test")
    with pytest.raises(FileNotFoundError, match="topology.json"):
        load_assets(tmp_path, "train")


def test_the_lids_stay_outside_of_the_eyeball(assets):
    region = assets.region
    axis = synthetic_eyes_geometry.gaze_axes(25, -15)[2]
    rest = synthetic_eyes_geometry.rest_shape(region, np.zeros(20), np.ones(2))
    for upper in (-0.3, 0.0, 0.5, 0.9):
        state = synthetic_eyes_geometry.LidState(np.full(20, upper), np.full(20, 0.1))
        skin = synthetic_eyes_geometry.pose_lids(region, rest, state, axis)[: len(region.smooth)]
        radius = np.linalg.norm(skin, axis=1)
        floor = synthetic_eyes_geometry.eyeball_radius_mm(skin / radius[:, None], axis)
        assert (radius > floor + 0.05).all()


def test_the_gbuffer_keeps_the_nearer_triangle_and_interpolates_on_the_surface():
    vertices = np.array([[0, 0], [8, 0], [0, 8], [0, 0], [8, 0], [0, 8]], np.float32)
    depth = np.array([10, 10, 10, 5, 20, 20], np.float32)
    attributes = np.arange(6, dtype=np.float32)[:, None]
    triangle, bary, z, value = gbuffer(vertices, depth, np.array([[0, 1, 2], [3, 4, 5]]), 10, 10, attributes)
    assert triangle[1, 1] == 1 and z[1, 1] == pytest.approx(1 / (0.75 / 5 + 0.25 / 20))
    assert triangle[4, 3] == 0 and z[4, 3] == pytest.approx(10)
    assert triangle[9, 9] == -1 and np.isinf(z[9, 9])
    first, second = bary[4, 3]
    assert value[4, 3, 0] == pytest.approx(second * 1 + (1 - first - second) * 2)


def test_the_gbuffer_names_a_wrong_vertex():
    with pytest.raises(ValueError, match="names vertex 3"):
        gbuffer(np.zeros((3, 2)), np.ones(3), np.array([[0, 1, 3]]), 4, 4)
