"""Eyes sought without a face: what the net is taught is what is read from it; views show what they say."""

from __future__ import annotations

import cv2
import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
pytest.importorskip("scipy", reason="training needs scipy: pip install '.[train]'")

from dmask.crops import FINDER_HEIGHT_PX, FINDER_WIDTH_PX, HEATMAP_STRIDE_PX  # noqa: E402
from dmask.synthetic import slit_light  # noqa: E402
from dmask.train import finder_task, loop  # noqa: E402
from dmask.train.data import closeups, finder_maps  # noqa: E402
from dmask.train.nets import export, finder, networks  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

MARKS = ((255, 0, 0), (0, 0, 255))  # of the inner canthus, of the outer


def scene(rng, alone=False, turn_deg=0.0):
    """A picture with two eyes whose canthi are marked."""
    image = np.full((300, 400, 3), 90, np.uint8)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    turn = np.array([[c, -s], [s, c]])
    eyes = np.array([[[165, 150], [95, 150]], [[235, 150], [305, 150]]], float) - [200, 150]
    canthi = (eyes @ turn.T + [200, 150]).astype(np.float32)
    for ends in canthi:
        for point, colour in zip(ends, MARKS, strict=True):
            cv2.circle(image, np.rint(point).astype(int).tolist(), 9, colour, -1)
    return closeups.Scene(image, canthi, alone)


def maps_of(targets, width_px=FINDER_WIDTH_PX):
    """The maps of a net that has learnt its targets."""
    sure = np.log(np.clip(targets["peak"], 1e-4, 1 - 1e-4) / (1 - np.clip(targets["peak"], 1e-4, 1 - 1e-4)))
    side = 8 * (targets["inner_right"] - 0.5)
    return np.concatenate([sure[None], targets["canthi"], side[None]]).astype(np.float32)


def test_what_is_taught_is_what_is_read():
    canthi = np.array([[[20, 40], [60, 48]], [[110, 90], [170, 70]]], np.float32)
    taught = finder_maps.targets(canthi, np.array([1, 0], np.float32), np.array([True, True]))
    found = finder.found_eyes(maps_of(taught), 0.5)
    assert len(found) == 2
    for eye in found:
        k = int(eye.canthi[0, 0] > 80)
        assert eye.canthi == pytest.approx(canthi[k], abs=1e-3)
        assert (eye.inner_right > 0.5) == (k == 0)


def test_an_eye_that_does_not_count_is_neither_taught_nor_forbidden():
    canthi = np.array([[[60, 60], [120, 60]]], np.float32)
    taught = finder_maps.targets(canthi, np.array([1], np.float32), np.array([False]))
    cell = int(60 / HEATMAP_STRIDE_PX), int(90 / HEATMAP_STRIDE_PX)
    assert taught["peak"].max() == 0 and taught["weight"][cell] == 0 and taught["weight"][0, 0] == 1


def test_of_two_peaks_on_one_eye_the_better_is_kept():
    canthi = np.array([[[40, 60], [140, 60]]], np.float32)
    maps = maps_of(finder_maps.targets(canthi, np.array([np.nan], np.float32), np.array([True])))
    row, column = np.unravel_index(maps[0].argmax(), maps[0].shape)
    maps[0, row, column + 3] = 0.5 * maps[0, row, column]
    assert len(finder.found_eyes(maps, 0.5)) == 1


@pytest.mark.parametrize("turn_deg", [-40.0, 0.0, 25.0])
def test_a_view_shows_the_canthi_where_it_says(turn_deg):
    seen = 0
    for k in range(30):
        rng = np.random.default_rng([4, k])
        image, canthi = closeups.placed(scene(rng, turn_deg=turn_deg), rng)
        assert image.shape == (FINDER_HEIGHT_PX, FINDER_WIDTH_PX, 3) and len(canthi) >= 1
        for ends in canthi:
            if np.linalg.norm(ends[1] - ends[0]) < 30:
                continue  # the marks are blurred
            for point, colour in zip(ends, MARKS, strict=True):
                x, y = np.rint(point).astype(int)
                if 0 <= x < FINDER_WIDTH_PX and 0 <= y < FINDER_HEIGHT_PX:
                    assert image[y, x] == pytest.approx(colour, abs=70)
                    seen += 1
        ordered, inner_right = closeups.left_and_right(canthi)
        assert (ordered[:, 0, 0] <= ordered[:, 1, 0]).all()
        right_ends = np.where(inner_right[:, None] == 1, canthi[:, 0], canthi[:, 1])
        assert ordered[:, 1] == pytest.approx(right_ends)
        angle_deg = np.degrees(np.arctan2(*(ordered[:, 1] - ordered[:, 0]).T[::-1]))
        assert np.abs(angle_deg).max() < 91
    assert seen > 20


def test_a_picture_of_an_eye_alone_fills_the_view():
    for k in range(20):
        rng = np.random.default_rng([5, k])
        one = scene(rng, alone=True)
        _, canthi = closeups.placed(one, rng)
        scale = np.linalg.norm(canthi[0, 1] - canthi[0, 0]) / 70
        assert scale * one.image.shape[1] >= 0.69 * FINDER_WIDTH_PX


def test_no_mark_of_an_eye_is_in_a_view_without_eyes():
    sampler = closeups.CloseUpSampler([closeups.Source([scene(None)], 1.0)])
    drawn = [sampler.without_eyes(np.random.default_rng([6, k])) for k in range(60)]
    photographs = [view for view in drawn if (np.abs(view.astype(int) - 90).max(-1) < 3).mean() > 0.2]
    assert photographs  # the others are of nothing
    for view in photographs:
        red = (view[..., 0] > 200) & (view[..., 1:].max(-1) < 60)
        blue = (view[..., 2] > 200) & (view[..., :2].max(-1) < 60)
        assert not (red | blue).any()


def test_an_eye_lost_in_glare_or_darkness_does_not_count():
    canthi = np.array([[[60, 60], [120, 60]]], np.float32)
    for level in (0, 255):
        assert not closeups.in_sight(np.full((128, 192, 3), level, np.uint8), canthi).any()
    picture = np.random.default_rng(0).integers(0, 256, (128, 192, 3)).astype(np.uint8)
    assert closeups.in_sight(picture, canthi).all()
    assert not closeups.in_sight(picture, canthi + 500).any()  # out of the picture


def test_a_batch_is_the_same_each_time_and_finite():
    sampler = closeups.CloseUpSampler([closeups.Source([scene(None)], 1.0)])
    once, again = (sampler.batch(np.random.default_rng(3), 12) for _ in range(2))
    for name, values in once.items():
        assert np.array_equal(values, again[name]) and np.isfinite(values.astype(np.float64)).all(), name
    assert 0 < once["peak"].max() <= 1 and once["inside"].sum() > 0


@pytest.mark.parametrize("lamp", ["slit", "reflexes", "fluorescein", "red_free", "infrared", "retract"])
def test_light_changes_the_picture_and_not_its_form(lamp):
    rng = np.random.default_rng(1)
    image = rng.integers(20, 200, (128, 192, 3)).astype(np.uint8)
    eye = slit_light.Eye(np.array([[50, 60], [140, 66]], np.float32))
    lit = getattr(slit_light, lamp)(image, eye, np.random.default_rng(2))
    assert lit.shape == image.shape and lit.dtype == np.uint8 and not np.array_equal(lit, image)
    if lamp == "infrared":
        assert (lit[..., 0] == lit[..., 1]).all() and (lit[..., 0] == lit[..., 2]).all()


def test_the_net_learns_one_view_and_its_file_answers_alike(tmp_path):
    torch.manual_seed(0)
    net = networks.build("finder")
    sampler = closeups.CloseUpSampler([closeups.Source([scene(None)], 1.0)])
    batch = loop.to_tensors(sampler.batch(np.random.default_rng(3), 4, 0.0))
    net.eval()
    with torch.no_grad():
        before = finder.finder_loss(net, batch).item()
        assert torch.sigmoid(net(batch["image"])[0][:, finder.CENTRE]).max() < 0.2  # it sees no eye yet
    net.train()
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    for _ in range(25):
        loss = finder.finder_loss(net, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.5 * before
    path = tmp_path / "eye_finder.onnx"
    export.write_onnx(net, networks.FINDER, path)
    picture = batch["image"][:1].contiguous().numpy()
    answer = ov.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(picture)["maps"]
    assert answer.shape == (1, 6, FINDER_HEIGHT_PX // 4, FINDER_WIDTH_PX // 4)


def test_figures_count_what_is_found_beside_what_is_there():
    canthi = np.array([[[20, 40], [80, 48]]], np.float32)
    right = finder_maps.targets(canthi, np.array([1], np.float32), np.array([True]))
    wrong = finder_maps.targets(canthi + 70, np.array([0], np.float32), np.array([True]))
    image = np.zeros((128, 192, 3), np.uint8)
    view = closeups.View(image, canthi, np.array([1], np.float32), np.array([True]))
    told = finder_task.compare([view, view], np.stack([maps_of(right), maps_of(wrong)]))
    assert told["found_pct"] == 50 and told["besides_pct"] == 50 and told["side_pct"] == 100
    assert told["canthi_pct"] < 0.1
