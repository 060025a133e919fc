"""Rendered eyes: labels obey the anatomy and the order that the nets are trained with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dmask._core import gbuffer
from dmask.train.render_eyes import geometry, render
from dmask.train.render_eyes.assets import EyeAssets, load_assets
from dmask.train.render_eyes.folds import find_fold, log_radiance
from dmask.train.render_eyes.occluders import (
    COVERED,
    DARK_LENS,
    FRAME,
    THICK_LENS,
    add_occluders,
)
from dmask.train.render_eyes.spectacles import Lens, rounded

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
    return render.render_eyes(assets, seed=5, first=0, count=COUNT)


def test_a_shut_eye_shows_no_limbus_and_its_margins_coincide(eyes):
    shut = eyes["closed"] == 1
    assert shut.any() and not shut.all()
    assert not eyes["iris_visible"][shut].any()
    assert np.allclose(eyes["lid"][shut, 1:10], eyes["lid"][shut, :10:-1], atol=2e-3)
    assert (eyes["openness"][shut] < 1e-3).all()
    assert (eyes["openness"][~shut] > 1e-3).all()


def test_lid_points_are_equally_spaced_along_the_canthal_line(eyes):
    bare = (eyes["occluder"] & FRAME) == 0  # a lens moves what is behind it
    lid, inner, outer = eyes["lid"][bare], eyes["canthi"][bare, 0], eyes["canthi"][bare, 1]
    assert np.allclose(lid[:, 0], inner, atol=1e-3)
    assert np.allclose(lid[:, 10], outer, atol=1e-3)
    assert np.allclose(inner[:, 1], outer[:, 1], atol=0.01)  # the picture lies along them
    s = (lid[..., 0] - inner[:, None, 0]) / (outer - inner)[:, None, 0]
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
        on_stations = (lid[1, 0] < iris[1:, 0]) & (iris[1:, 0] < lid[9, 0])
        for x, y in iris[1:][(visible[1:] == 1) & on_stations]:
            # Between the stations the margin curves; a pixel of the picture is the visibility's grain.
            assert y > np.interp(x, *upper.T) - 3
            assert y < np.interp(x, *lower.T) + 3


def test_crease_lies_above_the_margin_and_bulge_below(eyes):
    crease, upper, lower, bulge = eyes["lines"].mean(2)[..., 1].T
    has_crease, _, _, has_bulge = (eyes["line_present"] == 1).T
    assert has_crease.any() and has_bulge.any()
    assert (crease < upper)[has_crease].all()
    assert (upper <= lower + 1e-3).all()
    assert (bulge > lower)[has_bulge].all()


def test_the_eye_behind_a_dark_lens_or_a_hand_is_not_visible(eyes):
    covered = (eyes["occluder"] & COVERED) > 0
    assert covered.any() and not covered.all()
    assert not eyes["lid_visible"][covered].any()
    assert (eyes["line_present"][covered] == 255).all()


def test_a_fold_is_found_on_the_valley_beside_its_loop():
    y, x = np.mgrid[:100, :160].astype(float)
    course = 50 + 4 * np.sin(x / 40)
    skin = 0.3 * (1 - 0.3 * np.exp(-(((y - course) / 2) ** 2)))
    across = np.linspace(20, 140, 20)
    loop = np.stack([across, 50 + 4 * np.sin(across / 40) + 3], 1)
    fold = find_fold(log_radiance(np.repeat(skin[..., None], 3, 2).astype(np.float32)), loop)
    assert fold.present == 1
    assert np.abs(fold.line[:, 1] - 50 - 4 * np.sin(fold.line[:, 0] / 40)).max() < 0.8


def test_smooth_skin_has_no_fold():
    shading = np.linspace(0.2, 0.4, 100)[:, None, None] * np.ones((1, 160, 3))
    loop = np.stack([np.linspace(20, 140, 20), np.full(20, 50.0)], 1)
    assert find_fold(log_radiance(shading.astype(np.float32)), loop).present == 0


@pytest.mark.parametrize("magnification", [0.8, 1.25])
def test_a_lens_shows_a_point_where_its_label_moves_to(magnification):
    outline = (np.array([60.0, 50.0]) + rounded(np.array([45.0, 35.0]), 4, 0)).astype(np.float32)
    mask = np.zeros((100, 120), np.float32)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1.0)
    lens = Lens(outline, np.array([57.0, 52.0]), magnification, mask, dark=False)
    y, x = np.mgrid[:100, :120]
    for point in np.array([[45.0, 40.0], [75.0, 55.0], [58.0, 66.0]]):
        dot = np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / 8)
        seen = mask * lens.refract(np.repeat(dot[..., None], 3, 2).astype(np.float32))[..., 0]
        centroid = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
        moved, cut = lens.move(point[None])
        assert not cut[0]
        assert np.allclose(moved[0], centroid, atol=0.15)


def test_a_point_past_the_lens_stays_and_one_magnified_beyond_the_rim_is_lost():
    outline = (np.array([60.0, 50.0]) + rounded(np.array([40.0, 30.0]), 2, 0)).astype(np.float32)
    lens = Lens(outline, np.array([60.0, 50.0]), 1.25, np.zeros((100, 120), np.float32), dark=False)
    moved, cut = lens.move(np.array([[110.0, 50.0], [97.0, 50.0]]))
    assert np.array_equal(moved[0], [110, 50]) and list(cut) == [False, True]


def test_sunglasses_cover_their_lens_and_thick_lenses_are_flagged():
    skin = np.full((192, 240, 3), 0.3, np.float32)
    dark = thick = 0
    for seed in range(150):
        occluded = add_occluders(
            skin.copy(), 91.0, np.ones(3), np.array([0, 0.6, 0.8]), np.random.default_rng(seed)
        )
        if occluded.lens is None:
            assert not occluded.flags & (FRAME | THICK_LENS | DARK_LENS)
            continue
        assert bool(occluded.flags & THICK_LENS) == (abs(occluded.lens.magnification - 1) > 0.05)
        assert 0.8 <= occluded.lens.magnification <= 1.25
        if occluded.flags & DARK_LENS:
            assert (occluded.covered[occluded.lens.mask > 0] == 1).all()
            dark += 1
        thick += bool(occluded.flags & THICK_LENS)
    assert dark and thick


def test_mirroring_keeps_the_limbus_order(eyes):
    mirrored = eyes["iris"] * [-1, 1] + [render.WIDTH - 1, 0]
    order = np.array([0, 1, *(20 - np.arange(2, 19))])
    relative = mirrored[:, order[1:]] - mirrored[:, :1]
    assert (turn(relative) > 0).all()
    assert np.allclose(mirrored[:, order[1]], mirrored[:, 1])


def test_a_seed_and_an_index_make_the_same_eye_again(eyes, assets):
    again, labels = render.render_eye(np.random.default_rng([5, 7]), assets)
    assert np.array_equal(again, eyes["images"][7])
    assert np.array_equal(labels["iris"], eyes["iris"][7])


def test_far_gaze_goes_beyond_45_degrees_and_its_lids_are_open_more_often(assets):
    poses = [render.sample_pose(np.random.default_rng([7, k]), "far") for k in range(400)]
    yaw, pitch = (np.array([getattr(p, f"gaze_{axis}_deg") for p in poses]) for axis in ("yaw", "pitch"))
    assert (yaw > 50).sum() > 20 and (yaw < -50).sum() > 20 and (pitch < -40).sum() > 10
    assert yaw.max() <= 62 and yaw.min() >= -62 and pitch.min() >= -50 and pitch.max() <= 35
    assert np.mean([p.closed for p in poses]) < 0.06
    rendered = render.render_eyes(assets, seed=9, first=0, count=4, gaze="far")
    assert rendered["images"].shape == (4, render.HEIGHT, render.WIDTH, 3)


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
    axis = geometry.gaze_axes(25, -15)[2]
    rest = geometry.rest_shape(region, np.zeros(20), np.ones(2))
    for upper in (-0.3, 0.0, 0.5, 0.9):
        state = geometry.LidState(np.full(20, upper), np.full(20, 0.1))
        skin = geometry.pose_lids(region, rest, state, axis)[: len(region.smooth)]
        radius = np.linalg.norm(skin, axis=1)
        floor = geometry.eyeball_radius_mm(skin / radius[:, None], axis)
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


def test_a_pupil_lies_on_the_iris_and_is_seen_only_where_the_globe_is(eyes):
    told = eyes["pupil_visible"][:, 0] != 255
    assert told.mean() > 0.9
    centre, rim = eyes["pupil"][told, 0], eyes["pupil"][told, 1:]
    radius_px = np.linalg.norm(rim - centre[:, None], axis=2).max(1)
    limbus_px = np.linalg.norm(eyes["iris"][told, 1:] - eyes["iris"][told, :1], axis=2).max(1)
    assert (radius_px < limbus_px).all() and (radius_px > 0.1 * limbus_px).all()
    apart = np.linalg.norm(centre - eyes["iris"][told, 0], axis=1)
    assert np.median(apart / limbus_px) < 0.15  # seen a little nearer through the cornea
    assert (turn(rim - centre[:, None]) > 0).all()
    shut = eyes["closed"] == 1
    assert not (eyes["pupil_visible"][shut] == 1).any()
    assert (eyes["pupil_visible"] == 1).any()


def test_a_pupil_is_seen_larger_through_the_cornea_than_it_is():
    from dmask.train.render_eyes.globe import pupil_points
    from dmask.train.render_eyes.light import View

    view = View(
        np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 400.0]), np.array([[1e4, 0, 500], [0, 1e4, 500]])
    )
    axes = geometry.gaze_axes(0.0, 0.0)
    points = pupil_points(axes, 2.0, view)
    plane_mm = geometry.USUAL_CORNEA.limbus_plane_mm - 0.15
    bare_px = 1e4 * 2.0 / (400.0 - plane_mm)
    seen_px = np.linalg.norm(points[1:] - points[0], axis=1)
    assert 1.08 < seen_px.mean() / bare_px < 1.18  # the entrance pupil is an eighth larger
    assert np.ptp(seen_px) < 0.01 * seen_px.mean()
