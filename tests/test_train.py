"""Training: losses fall, decoding inverts the target, mirroring keeps its order, nobody is in both halves."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
pytest.importorskip("scipy", reason="training needs scipy: pip install '.[train]'")

from dmask.crops import HEATMAP_STRIDE_PX, similarity  # noqa: E402
from dmask.evaluate.held_out import is_validation, person_of  # noqa: E402
from dmask.train import eye_tasks, loop, measures, tasks  # noqa: E402
from dmask.train.data import augment, convention, eyes, faces  # noqa: E402
from dmask.train.nets import heatmap, lines, networks, start  # noqa: E402
from dmask.train.workers import Ahead  # noqa: E402

MODELS = Path(__file__).resolve().parent.parent / "python" / "dmask" / "models"

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def landmark_batch(rng: np.random.Generator, n: int, points: int = 20) -> dict[str, np.ndarray]:
    """A bright disc whose centre every point marks: learnable at once."""
    image = np.zeros((n, 128, 160, 3), np.uint8)
    centre = rng.uniform(40, 90, (n, 2)).astype(np.float32)
    y, x = np.mgrid[:128, :160]
    for i, (cx, cy) in enumerate(centre):
        image[i][(x - cx) ** 2 + (y - cy) ** 2 < 100] = 255
    ones = np.ones((n, points), np.float32)
    xy = np.repeat(centre[:, None], points, 1)
    return {"image": image, "xy_px": xy, "weight": ones, "visible": ones, "known": ones}


def small_task(exported: list | None = None) -> loop.Task:
    torch.manual_seed(0)
    return loop.Task(
        networks.FaceNet(20, (16, 32), (1, 1), stem=16),
        lambda rng, n, _strength: landmark_batch(rng, n),
        tasks.landmarks_loss,
        lambda _net: {},
        lambda net: exported.append(net) if exported is not None else None,
    )


def test_training_lowers_the_loss_on_a_tiny_batch(tmp_path):
    task = small_task()
    batch = loop.to_tensors(landmark_batch(np.random.default_rng(0), 4))
    before = tasks.landmarks_loss(task.net, batch).item()
    options = loop.Options(steps=8, batch=4, warm_up=1, report_every=100, evaluate_every=8)
    loop.train(task, tmp_path / "net.pt", options)
    assert tasks.landmarks_loss(task.net, batch).item() < 0.9 * before


def test_resuming_gives_the_same_weights_as_an_uninterrupted_run(tmp_path):
    options = loop.Options(steps=4, batch=2, warm_up=1, evaluate_every=2, report_every=100)
    whole = small_task()
    loop.train(whole, tmp_path / "whole.pt", options)
    half = small_task()
    calls = []

    def cut(rng, n, _strength):
        calls.append(n)
        if len(calls) == 4:
            raise RuntimeError("power cut")
        return landmark_batch(rng, n)

    half.batch = cut
    with pytest.raises(RuntimeError, match="power cut"):
        loop.train(half, tmp_path / "half.pt", options)
    assert torch.load(tmp_path / "half.pt", weights_only=True)["step"] == 2
    resumed = small_task()
    loop.train(resumed, tmp_path / "half.pt", options, resume=True)
    assert torch.load(tmp_path / "half.pt", weights_only=True)["step"] == 4
    for a, b in zip(whole.net.state_dict().values(), resumed.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_resuming_without_a_checkpoint_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="start without --resume"):
        loop.train(small_task(), tmp_path / "none.pt", loop.Options(steps=1), resume=True)


def test_rate_warms_up_stays_and_cools_down():
    options = loop.Options(steps=1000, warm_up=100, rate=1.0, cool_down=0.4)
    rates = [loop.rate_at(step, step / options.steps, options) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[300] == rates[599] == 1.0
    assert rates[800] == pytest.approx(0.505, abs=0.01)
    assert rates[999] < 0.02


def test_by_the_clock_training_stops_in_time_with_a_low_rate(tmp_path, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(loop.time, "time", lambda: 0.5 * next(ticks))
    exported: list = []
    options = loop.Options(steps=10**6, seconds=20, batch=2, warm_up=1)
    loop.train(small_task(exported), tmp_path / "net.pt", options)
    state = torch.load(tmp_path / "net.pt", weights_only=True)
    assert 2 <= state["step"] < 40 and 2 <= len(exported) <= loop.EVALUATIONS
    assert state["optimiser"]["param_groups"][0]["lr"] < 0.3 * options.rate


def test_workers_make_the_same_batches_in_the_same_order():
    def make(step, strength):
        rng = np.random.default_rng([1, step])
        return {"image": rng.integers(0, 9, (2, 3)), "strength": np.full(1, strength)}

    def of_step(step):
        return 1.0 if step < 12 else 0.5

    with Ahead(make, of_step, 5, 0) as here, Ahead(make, of_step, 5, 2) as ahead:
        for step in range(5, 25):
            expected, got = here.take(step), ahead.take(step)
            assert expected.keys() == got.keys()
            assert all((expected[name] == got[name]).all() for name in expected)
            assert got["strength"] == of_step(step)
    assert not any(process.is_alive() for process in ahead.processes)


def test_a_worker_that_fails_says_why():
    def make(step, _strength):
        if step > 2:
            raise ValueError("no picture")
        return {"image": np.zeros(1)}

    with Ahead(make, lambda _step: 1.0, 0, 1) as ahead, pytest.raises(RuntimeError, match="no picture"):
        for step in range(5):
            ahead.take(step)


def test_training_with_workers_gives_the_same_weights(tmp_path):
    nets = []
    for workers in (0, 2):
        options = loop.Options(steps=3, batch=2, warm_up=1, workers=workers, evaluate_every=3)
        nets.append(loop.train(small_task(), tmp_path / f"{workers}.pt", options))
    for a, b in zip(nets[0].state_dict().values(), nets[1].state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_decoding_inverts_the_target_to_a_hundredth_of_a_cell():
    xy = torch.tensor([[[30.3, 77.7], [100.0, 31.5], [63.5, 63.5]]])
    cells = heatmap.to_cells(xy)
    g_x, g_y = heatmap.gaussian(cells[..., 0], 40), heatmap.gaussian(cells[..., 1], 32)
    logits = torch.log(g_y[..., :, None] * g_x[..., None, :] + 1e-12)
    assert torch.allclose(heatmap.decode(logits), xy, atol=0.04)


def test_a_cell_centre_is_where_the_contract_says():
    assert heatmap.to_px(torch.tensor([[0.0, 31.0]])).tolist() == [[1.5, 125.5]]


def test_the_landmark_loss_is_least_at_the_target_and_ignores_points_outside():
    xy = torch.tensor([[[50.0, 60.0], [500.0, 60.0]]])
    one, seen = torch.ones(1, 2), torch.zeros(1, 2)

    def loss_at(x: float) -> float:
        c = heatmap.to_cells(torch.tensor([[[x, 60.0], [20.0, 20.0]]]))
        g_x, g_y = heatmap.gaussian(c[..., 0], 40), heatmap.gaussian(c[..., 1], 32)
        logits = torch.log(g_y[..., :, None] * g_x[..., None, :] + 1e-9)
        return float(heatmap.landmark_loss(logits, seen, xy, one, one, one))

    assert loss_at(50.0) < loss_at(52.0) < loss_at(60.0)


def test_a_widened_net_answers_as_the_narrow_one_and_its_channels_part_with_noise():
    torch.manual_seed(0)
    narrow, wide = networks.build("face"), networks.build("wide-face")
    for module in narrow.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1)
    images = torch.rand(2, 3, 128, 128)
    start.widen(narrow, wide, noise=0)
    for a, b in zip(narrow.eval()(images), wide.eval()(images), strict=True):
        assert torch.allclose(a, b, atol=1e-3 * float(a.abs().max()))
    start.widen(narrow, wide)
    stem = wide.trunk.stem[0][0].weight
    assert (stem[:16] != stem[16:]).all()


def test_a_taught_map_is_best_answered_by_itself():
    torch.manual_seed(0)
    taught = torch.randn(2, 3, 8, 8) * 3
    own = heatmap.taught_loss(taught, heatmap.softmax_map(taught))
    other = heatmap.taught_loss(taught + torch.randn(2, 3, 8, 8), heatmap.softmax_map(taught))
    assert (own < other).all()


def test_a_teacher_that_mirrors_well_teaches_its_own_answer():
    """The loss against a teacher that marks the brightest spot is least for a net that does so too."""

    class Spots(torch.nn.Module):
        def __init__(self, sharpness):
            super().__init__()
            self.sharpness = torch.nn.Parameter(torch.tensor(float(sharpness)))

        def forward(self, image):
            cells = torch.nn.functional.avg_pool2d(image, 4)
            left, right = (self.sharpness * cells[:, k : k + 1] for k in (0, 1))
            # points of the patient's right half look for red, their mirror images for green
            pick = torch.from_numpy(faces.MIRROR_68 < np.arange(68))[None, :, None, None]
            return torch.where(pick, right, left), torch.zeros(len(image), 68)

    # In a mirrored picture right and left change places; so do the colours here, by a teacher of both.
    image = torch.zeros(1, 3, 128, 128)
    image[:, :2, 40:44, 60:68] = 1
    labels = {name: torch.zeros(1, 68) for name in ("weight", "visible", "known")}
    batch = labels | {"image": image, "clean": image, "xy_px": torch.full((1, 68, 2), 64.0)}
    loss = tasks.distilled(Spots(20))
    losses = [float(loss(Spots(s), batch | {"taught": torch.ones(1, 68)})) for s in (1, 20, 60)]
    assert losses[1] < losses[0] and losses[1] < losses[2]
    assert float(loss(Spots(1), batch | {"taught": torch.zeros(1, 68)})) == 0


def test_clean_crops_come_beside_covered_ones_and_change_nothing_else():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 208, 208, 3), dtype=np.uint8)
    points = rng.uniform(60, 150, (4, 68, 2)).astype(np.float32)
    photographs = faces.Photographs(images, points, np.float32([1, 1, 0.6, 0]), 2)
    plain = faces.FaceSampler(photographs).batch(np.random.default_rng(3), 40)
    both = faces.FaceSampler(photographs, clean=True).batch(np.random.default_rng(3), 40)
    assert both.keys() - plain.keys() == {"clean", "taught"}
    assert all((plain[name] == both[name]).all() for name in plain)
    assert (both["clean"] != both["image"]).any((1, 2, 3)).mean() > 0.5
    unseen = both["taught"][:, 0] == 0
    assert 0 < unseen.mean() < 0.3 and not both["weight"][unseen].any()
    assert set(np.unique(both["weight"])) >= {np.float32(0), np.float32(0.5), np.float32(1)}


def test_a_rendered_jaw_is_divided_evenly_and_nothing_else_moves():
    t = np.pi * np.linspace(0, 1, 17) ** 2
    mesh = np.random.default_rng(5).uniform(0, 127, (1, 68, 2)).astype(np.float32)
    mesh[0, :17] = np.column_stack([-50 * np.cos(t), 60 * np.sin(t)]) + [64, 40]
    even = convention.with_even_jaw(mesh)[0]
    steps = np.linalg.norm(np.diff(even[:17], axis=0), axis=1)
    assert np.ptp(steps) < 0.05 * steps.mean()
    assert np.allclose(even[[0, 16]], mesh[0, [0, 16]], atol=1e-4) and (even[17:] == mesh[0, 17:]).all()


def test_mirroring_the_face_order_twice_is_nothing_and_swaps_the_sides():
    assert sorted(faces.MIRROR_68) == list(range(68))
    assert (faces.MIRROR_68[faces.MIRROR_68] == np.arange(68)).all()
    assert faces.MIRROR_68[36] == 45 and faces.MIRROR_68[39] == 42 and faces.MIRROR_68[8] == 8
    assert faces.MIRROR_68[48] == 54 and faces.MIRROR_68[60] == 64


def test_a_mirrored_iris_runs_clockwise_from_twelve_again():
    a = eyes.LIMBUS_RAD
    ring = np.vstack([[50.0, 40.0], np.column_stack([50 + 20 * np.cos(a), 40 + 15 * np.sin(a)])])
    mirrored = ring * [-1, 1] + [159, 0]
    expected = ring + [159 - 100, 0]
    assert np.allclose(mirrored[eyes.MIRROR_IRIS], expected)


def test_limbus_points_count_from_twelve_of_the_turned_crop():
    ring = np.vstack([[0.0, 0.0], 20 * np.column_stack([np.cos(eyes.LIMBUS_RAD), np.sin(eyes.LIMBUS_RAD)])])
    visible = np.r_[1, np.arange(18) < 5].astype(int)
    turned = augment.transform(similarity(1, np.deg2rad(40), [0, 0], [0, 0]), ring)
    out, seen = eyes.from_twelve(turned, visible)
    assert np.allclose(out, ring, atol=1e-4)
    assert seen[1:].tolist() == np.roll(visible[1:], 2).tolist()


def test_lid_points_pass_through_the_canthi_and_the_persons_points():
    corners = np.array([[0.0, 0.0], [100.0, 0.0]])
    x = np.linspace(0, 100, 9)
    machine = np.column_stack([x, -30 * np.sin(np.pi * x / 100)])
    upper_fixed, lower_fixed = np.array([[33.0, -35.0], [66.0, -28.0]]), np.array([[33.0, 9.0], [66.0, 12.0]])
    lid = eyes.lid_points(corners, machine, machine * [1, -0.3], upper_fixed, lower_fixed)
    assert np.allclose(lid[[0, 10]], corners)
    assert np.allclose(lid[1:10, 0], np.arange(10, 100, 10)) and np.allclose(
        lid[11:, 0], np.arange(90, 0, -10)
    )
    assert measures.distance_to_polyline(upper_fixed, lid[:11]).max() < 1.0
    assert measures.distance_to_polyline(lower_fixed, lid[[0, *range(19, 9, -1)]]).max() < 1.0


def test_crossing_lids_are_shut_lids():
    corners = np.array([[0.0, 0.0], [100.0, 0.0]])
    x = np.linspace(0, 100, 9)
    flat = np.column_stack([x, 0 * x])
    lid = eyes.lid_points(
        corners, flat, flat, np.array([[30.0, 6.0], [60, 6]]), np.array([[30.0, 2.0], [60, 2]])
    )
    assert eyes.opening(lid[None])[0] == pytest.approx(0, abs=1e-6)


def test_nobody_trains_and_validates():
    names = [f"{i}_{k}.jpg" for i in range(400) for k in (1, 2)] + [f"First_Last{i}.jpg" for i in range(400)]
    held_out = {person_of(n) for n in names if is_validation(n)}
    training = {person_of(n) for n in names if not is_validation(n)}
    assert not held_out & training
    assert 0.05 < len(held_out) / 800 < 0.15
    assert person_of("a/b/1051618982_2.jpg") == person_of("1051618982_1.jpg") == "1051618982"


def test_an_occluder_hides_the_points_it_covers():
    rng = np.random.default_rng(3)
    image = np.full((128, 160, 3), 100, np.uint8)
    donor = np.full((192, 240, 3), 200, np.uint8)
    xy = (
        np.stack(np.meshgrid(np.arange(2, 160, 6), np.arange(2, 128, 6)), -1)
        .reshape(-1, 2)
        .astype(np.float32)
    )
    total = 0
    for _ in range(20):
        out, hidden = augment.occlude(image, xy, rng, donor)
        changed = (out[xy[:, 1].astype(int), xy[:, 0].astype(int)] != 100).any(1)
        assert (changed == hidden).all()
        total += hidden.sum()
    assert total > 0


def test_similarity_turns_clockwise_in_the_picture_and_hits_its_target():
    m = similarity(2, np.pi / 2, [10, 5], [3, 4])
    assert np.allclose(augment.transform(m, np.array([[10.0, 5], [11, 5]])), [[3, 4], [3, 6]], atol=1e-5)
    mirrored = similarity(1, 0.0, [10, 5], [0, 0], mirror=True)
    assert np.allclose(augment.transform(mirrored, np.array([[12.0, 6.0]])), [[-2, 1]], atol=1e-5)


def test_a_drawn_line_is_read_back_within_half_a_pixel():
    x = np.linspace(30, 130, 20)
    line = np.column_stack([x, 60 - 20 * np.sin(np.pi * (x - 30) / 100)])
    targets = eyes.line_targets(np.stack([line] * 4), np.array([1, 1, 0, 255]), 1.0)
    assert targets["edges"][2].max() == 0 and targets["line_known"].tolist() == [1, 1, 1, 0]
    p = np.clip(targets["edges"][0] / 255.0, 1e-4, 1 - 1e-4)
    read, peak = lines.read_line(np.log(p / (1 - p)).astype(np.float32))
    assert lines.line_distance(read, line) < 0.5 and peak.min() > 0.2


def test_line_loss_is_lower_for_the_right_edges():
    target = torch.zeros(1, 4, 64, 80)
    target[:, :, 30, 10:70] = 1
    weight = torch.ones(1, 4)
    right, wrong = 6 * target - 3, 6 * target.roll(10, 2) - 3
    assert lines.edge_loss(right, target, weight) < lines.edge_loss(wrong, target, weight)
    assert lines.edge_loss(wrong, target, torch.zeros(1, 4)) == 0


def test_the_average_follows_the_weights_and_the_normalisation_statistics():
    a, b = networks.build("eyes"), networks.build("eyes")
    b.train().eyelid(torch.rand(2, 3, 128, 160))
    loop.follow(a, b, 0.0)
    for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        assert torch.allclose(x, y)


def test_the_mesh_map_recovers_a_linear_convention():
    rng = np.random.default_rng(0)
    base = rng.normal(0, 50, (478, 2))
    deform = rng.normal(0, 1, (5, 478, 2))
    mesh = base + np.einsum("nk,kij->nij", rng.normal(0, 2, (80, 5)), deform)
    turn = [
        similarity(rng.uniform(0.5, 2), rng.uniform(-0.5, 0.5), [0, 0], rng.uniform(0, 90, 2)) for _ in mesh
    ]
    mesh = np.stack([augment.transform(m, p) for m, p in zip(turn, mesh, strict=True)])
    xy68 = 0.5 * (mesh[:, :68] + mesh[:, 100:168])
    to68 = faces.MeshTo68(mesh[:60], xy68[:60], modes=8, ridge=1e-9)
    assert faces.normalised_error(to68(mesh[60:]), xy68[60:]).max() < 1e-3


def test_a_teachers_points_come_back_in_the_pictures_pixels(tmp_path):
    import cv2

    path = tmp_path / "1_1.png"
    cv2.imwrite(str(path), np.zeros((300, 280, 3), np.uint8))
    rng = np.random.default_rng(0)
    xy = rng.uniform(100, 200, (1, 68, 2)).astype(np.float32)
    people = faces.Faces([path], xy, np.ones(1, bool))
    crops, in_crop, _ = faces.validation_crops(people)
    answers = iter([in_crop, (in_crop * [-1, 1] + [127, 0])[:, faces.MIRROR_68]])
    assert np.allclose(faces.taught(people, lambda _crops: next(answers)), xy, atol=0.01)
    assert crops.shape == (1, 128, 128, 3)


def test_every_eye_brings_the_labels_of_all_three_nets():
    rng = np.random.default_rng(1)
    batch = eyes.EyeSampler(None, some_eyes(rng, 3), 0.4).batch(rng, 4)
    assert batch["eyelid_xy_px"].shape == (4, 20, 2) and batch["iris_xy_px"].shape == (4, 19, 2)
    assert batch["edges"].shape == (4, 4, 64, 80) and batch["line_present"].shape == (4, 4)
    loss = eye_tasks.eyes_loss(networks.build("eyes"), loop.to_tensors(batch))
    loss.backward()
    assert torch.isfinite(loss)


def test_a_head_trained_alone_leaves_trunk_and_other_heads_as_they_were(tmp_path):
    rng = np.random.default_rng(1)
    sampler, net = eyes.EyeSampler(None, some_eyes(rng, 3), 0.4), networks.build("eyes")
    task = loop.Task(
        net, sampler.batch, eye_tasks.eyes_loss, lambda _net: {}, lambda _net: None, learns=net.iris
    )
    before = {name: value.clone() for name, value in net.state_dict().items()}
    loop.train(task, tmp_path / "net.pt", loop.Options(steps=2, batch=2, warm_up=1, evaluate_every=2))
    changed = {
        name.split(".")[0] for name, value in net.state_dict().items() if (value != before[name]).any()
    }
    assert changed == {"iris"}


def test_training_what_is_seen_moves_no_point(tmp_path):
    rng = np.random.default_rng(1)
    sampler, net = eyes.EyeSampler(None, some_eyes(rng, 3), 0.4, for_sight=True), networks.build("eyes")
    images = torch.rand(2, 3, 128, 160)
    before = [out.clone() for out in net.eval().eyelid(images)]
    task = loop.Task(
        net, sampler.batch, eye_tasks.eyes_loss, lambda _net: {}, lambda _net: None,
        learns=eye_tasks.part_of(net, "sight"),
    )  # fmt: skip
    loop.train(task, tmp_path / "net.pt", loop.Options(steps=2, batch=2, warm_up=1, evaluate_every=2))
    heatmaps, visibility, features = net.eval().eyelid(images)
    assert torch.equal(heatmaps, before[0]) and torch.equal(features, before[2])
    assert not torch.equal(visibility, before[1])


def test_a_thing_before_the_pupil_takes_all_of_the_lid_out_of_sight_and_a_lid_does_not():
    lid, seen, none = np.zeros((20, 2), np.float32), np.ones(20, np.uint8), np.zeros(20, bool)
    half = none.copy()
    half[1:6] = True
    beside = eyes.lid_labels(lid, 1.0, seen, half)
    assert beside["eyelid_visible"].sum() == 15 and beside["eyelid_known"].all()
    before = eyes.lid_labels(lid, 1.0, np.full(20, 255, np.uint8), half, covered=True)
    assert before["eyelid_visible"].sum() == 0 and before["eyelid_known"].all()

    rng = np.random.default_rng(3)
    rendered = some_eyes(rng, 8)
    rendered.iris_visible[:, 0] = 0  # of what the renderer drew, the pupil being between the lids
    known = eyes.EyeSampler(None, rendered, 0.4).batch(rng, 24, 1.0)
    assert known["eyelid_visible"].sum() == 0
    rendered.iris[:] -= [0, 40]  # above the lid
    assert eyes.EyeSampler(None, rendered, 0.4).batch(rng, 24, 1.0)["eyelid_visible"].sum() > 24


def test_open_weights_see_no_real_eye():
    rng = np.random.default_rng(1)
    rendered = some_eyes(rng, 2)
    rendered.image[:] = 77
    real = some_eyes(rng, 2)
    real.image[:] = 200

    def light_share(real_eyes: eyes.Eyes | None) -> float:
        """Of pictures with a light middle; a few are covered by something light."""
        images = eyes.EyeSampler(real_eyes, rendered, 0.4).batch(rng, 64, 0.0)["image"]
        return float((np.median(images[:, 60:70, 60:70], axis=(1, 2, 3)) > 140).mean())

    assert light_share(None) < 0.1 < 0.2 < light_share(real)


def some_eyes(rng: np.random.Generator, n: int) -> eyes.Eyes:
    """Eyes with plausible labels on pictures of noise."""
    x = np.linspace(70, 160, 11)
    lid = np.column_stack([np.r_[x, x[-2:0:-1]], np.r_[np.full(11, 85.0), np.full(9, 105.0)]])
    iris = np.vstack(
        [[120, 95], np.column_stack([120 + 18 * np.cos(eyes.LIMBUS_RAD), 95 + 18 * np.sin(eyes.LIMBUS_RAD)])]
    )
    lines = np.stack(
        [np.column_stack([np.linspace(70, 160, 20), np.full(20, y)]) for y in (75, 85, 105, 115)]
    )
    record = {
        "image": rng.integers(0, 256, (192, 240, 3), dtype=np.uint8),
        "lid": lid, "lid_weight": 1, "lid_visible": np.ones(20), "iris": iris, "iris_weight": (1, 1),
        "iris_visible": np.ones(19), "lines": lines, "line_present": (1, 1, 1, 0), "openness": 0.22,
        "real": False, "human": False, "name": "a", "human_lid": np.full((6, 2), np.nan),
        "interocular_px": 200.0, "outer_corners_px": 290.0, "occluder": 0,
    }  # fmt: skip
    return eyes.collect([record] * n)


def test_radii_tell_a_flattened_iris_from_a_small_one():
    ring = np.column_stack([20 * np.cos(eyes.LIMBUS_RAD), 18 * np.sin(eyes.LIMBUS_RAD)])
    iris = np.vstack([[0, 0], ring])[None]
    width, height = measures.limbus_radii(iris)[0]
    assert {round(float(width), 3), round(float(height), 3)} == {20.0, 18.0}


def test_a_steadied_centre_lies_between_the_nets_and_the_limbus():
    ring = np.column_stack([20 * np.cos(eyes.LIMBUS_RAD), 18 * np.sin(eyes.LIMBUS_RAD)])
    iris = np.vstack([[4, 2], ring])[None]
    iris[0, 1:4, 1] += 5  # guessed wrongly under the lid, and known to be hidden
    logits = np.full((1, 19), 4.0)
    logits[0, 1:4] = -9
    assert np.allclose(measures.steadied_centre(iris, logits)[0, 0], [2, 1], atol=0.1)


def test_f_counts_points_within_the_tolerance():
    line = np.column_stack([np.linspace(10, 150, 20), np.full(20, 50.0)])
    near, far = line + [0, 1.5], line + [0, 3.0]
    assert measures.line_f([near], [line], 2.0) == pytest.approx(1)
    assert measures.line_f([far], [line], 2.0) == 0
    assert measures.line_f([near, far], [line, line], 2.0) == pytest.approx(0.5)


def test_missing_rendered_eyes_say_how_to_make_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="dmask train render-eyes"):
        eyes.read_synthetic(sorted(tmp_path.glob("*.npz")))


def test_exported_nets_have_the_agreed_signatures(tmp_path):
    pytest.importorskip("onnx", reason="export needs onnx: pip install '.[train]'")
    from dmask.train.nets.export import write_eye_nets, write_onnx

    write_onnx(networks.build("face"), networks.FACE, tmp_path / "face68.onnx")
    write_eye_nets(networks.build("eyes"), tmp_path)
    write_onnx(networks.build("finder"), networks.FINDER, tmp_path / "eye_finder.onnx")
    write_onnx(networks.build("regions"), networks.REGIONS, tmp_path / "regions.onnx")
    for spec in networks.SPECS.values():
        check_signature(tmp_path / f"{spec.name}.onnx", spec)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"{spec.name}.onnx" for spec in networks.SPECS.values()
    )


@pytest.mark.parametrize("folder", [MODELS, MODELS / "open"], ids=["research", "open"])
@pytest.mark.parametrize("name", ["face", "eyelid", "iris", "lines"])
def test_the_shipped_nets_have_the_agreed_signatures(folder, name):
    check_signature(folder / f"{networks.SPECS[name].name}.onnx", networks.SPECS[name])


def check_signature(path: Path, spec: networks.NetSpec) -> None:
    model = ov.Core().read_model(str(path))
    shape = ",".join(map(str, spec.input_shape))
    assert [i.any_name for i in model.inputs] == [spec.input]
    assert model.inputs[0].partial_shape.to_string() == f"[?,{shape}]"
    assert tuple(o.any_name for o in model.outputs) == spec.outputs
    if "visibility" in spec.outputs:  # what the core reads in its place
        inner = {name for op in model.get_ordered_ops() for port in op.outputs() for name in port.get_names()}
        assert {
            "face68": "/points/evidence/Conv_output_0",
            "eyelid": "/points/evidence/Add_output_0",
            "iris": "/evidence/Conv_output_0",
        }[spec.name] in inner
    out = ov.Core().compile_model(model, "CPU")(np.zeros((2, *spec.input_shape), np.float32))
    height, width = spec.input_shape[1:]
    # Heat maps are a quarter of the picture, edges half of it; features are a quarter already.
    whole = spec.input == "features" or spec.name == "regions"
    factor = 2 if spec.name == "lines" else 1 if whole else 1 / HEATMAP_STRIDE_PX
    assert out[0].shape == (2, spec.points, int(height * factor), int(width * factor))
    assert len(spec.outputs) == 1 or out[1].shape == (2, spec.points)
    assert all(np.isfinite(out[k]).all() for k in range(len(spec.outputs)))
