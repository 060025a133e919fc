"""Fine-tuning: the ONNX file comes back whole, patients stay on one side, a clinic's convention is learnt."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
pytest.importorskip("scipy", reason="training needs scipy: pip install '.[train]'")
pytest.importorskip("onnx", reason="training needs onnx: pip install '.[train]'")

from dmask import cli  # noqa: E402
from dmask.crops import FACE_PX  # noqa: E402
from dmask.environment import MODELS_DIR, sha256  # noqa: E402
from dmask.errors import Error  # noqa: E402
from dmask.io.labelled import POINT_COLUMNS  # noqa: E402
from dmask.train import finetune  # noqa: E402
from dmask.train.data import faces  # noqa: E402
from dmask.train.nets import start  # noqa: E402
from dmask.train.nets.export import compile_f32, example_image, write_onnx  # noqa: E402
from dmask.train.nets.networks import FACE, build  # noqa: E402

SHIPPED = MODELS_DIR / "face68.onnx"

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def outputs_of(net: torch.nn.Module, image: torch.Tensor) -> list[np.ndarray]:
    with torch.no_grad():
        return [out.numpy() for out in net(image)]


def answers_of(path: Path, image: torch.Tensor) -> list[np.ndarray]:
    net = compile_f32(path)
    return [net(image.numpy())[name] for name in FACE.outputs]


def test_the_shipped_file_comes_back_as_the_same_net():
    net = start.load_onnx(build("face"), SHIPPED)
    for image in example_image(FACE_PX, FACE_PX):
        for got, expected in zip(outputs_of(net, image[None]), answers_of(SHIPPED, image[None]), strict=True):
            assert np.abs(got - expected).max() < 1e-2


def test_a_written_net_comes_back_with_its_normalisation_folded(tmp_path):
    torch.manual_seed(0)
    net = build("face")
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.3, 0.7)
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    write_onnx(net.eval(), FACE, tmp_path / "a.onnx")
    again = start.load_onnx(build("face"), tmp_path / "a.onnx")
    image = example_image(FACE_PX, FACE_PX)[:1]
    for got, expected in zip(outputs_of(again, image), answers_of(tmp_path / "a.onnx", image), strict=True):
        assert np.abs(got - expected).max() < 1e-2 * max(1, np.abs(expected).max())
    assert not again.training


def test_the_shipped_eyes_come_back_and_can_be_trained_on():
    files = MODELS_DIR / "eyelid.onnx"
    net = start.load_eyes(build("eyes"), files)
    image = example_image(128, 160)

    def answers(mode: bool) -> list[torch.Tensor]:
        again = copy.deepcopy(net).train(mode)
        with torch.no_grad():
            heatmaps, seen, features = again.eyelid(image)
            return [heatmaps, seen, *again.iris(features), *again.lines(features)]

    expected = compile_f32(files)(image.numpy())
    before = answers(False)
    assert np.abs(before[0].numpy() - expected["heatmaps"]).max() < 1e-2
    start.revive(net, [image])
    for got, want in zip(answers(False), before, strict=True):
        assert torch.allclose(got, want, atol=1e-3)
    # On the pictures that gave the statistics, a step of training starts from the same answers.
    for got, want in zip(answers(True), before, strict=True):
        assert (got - want).abs().max() < 0.05 * want.abs().max()


def test_a_kept_share_lies_between_two_nets_and_all_of_it_is_the_old_one():
    old = start.load_onnx(build("face"), SHIPPED)
    # Enough pictures that a batch's variance hardly depends on whether it is divided by n or n - 1.
    images = [torch.cat([example_image(FACE_PX, FACE_PX) for _ in range(8)])]
    start.revive(old, images)
    new = copy.deepcopy(old)
    with torch.no_grad():
        new.points.heatmaps.weight.mul_(1.2)
    half = start.keep(new, old, 0.5, images)
    assert torch.allclose(half.points.heatmaps.weight, 1.1 * old.points.heatmaps.weight)
    all_old = outputs_of(start.keep(new, old, 1.0, images), images[0])
    for got, want in zip(all_old, outputs_of(old, images[0]), strict=True):
        assert np.abs(got - want).max() < 0.05 * np.abs(want).max()


def test_another_nets_file_is_refused():
    with pytest.raises(Error, match="does not fit|lacks"):
        start.load_onnx(build("face"), MODELS_DIR / "face_detection_yunet_2023mar.onnx")


def test_a_nodes_name_tells_its_module():
    assert start.module_path("/trunk/stem/stem.0/stem.0.1/Conv") == "trunk.stem.0.1"
    name = "/exchange.2/paths.0.1/paths.0.1.0/paths.0.1.0.0/Conv"
    assert start.module_path(name) == "exchange.2.paths.0.1.0.0"
    assert start.module_path("/branches.1.0/branches.1.0.0/body/body.1/body.1.0/Conv") == (
        "branches.1.0.0.body.1.0"
    )


# ---- patients


def test_a_fifth_of_the_patients_validates_and_the_seed_decides_who():
    patients = [f"p{k}" for k in range(23)] * 3
    chosen = finetune.validation_patients(patients, seed=1)
    assert len(chosen) == 5 and chosen == finetune.validation_patients(patients[::-1], seed=1)
    assert chosen != finetune.validation_patients(patients, seed=2)
    assert len(finetune.validation_patients(["a", "b"], seed=1)) == 1


def test_one_patient_is_too_few():
    with pytest.raises(Error, match="1 patient; expected 2 or more"):
        finetune.validation_patients(["a", "a"], seed=1)


def write_clinic(
    folder: Path, frames: list[np.ndarray], points: list[np.ndarray], names, patients=None
) -> Path:
    folder.mkdir()
    with (folder / "landmarks68.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *POINT_COLUMNS, *(["patient"] if patients else [])])
        for k, (name, frame, xy) in enumerate(zip(names, frames, points, strict=True)):
            cv2.imwrite(str(folder / name), frame)
            writer.writerow([name, *(f"{v:.2f}" for v in xy.ravel()), *([patients[k]] if patients else [])])
    return folder


def blank_clinic(folder: Path, names: list[str], patients: list[str] | None = None) -> Path:
    frame = np.zeros((64, 64, 3), np.uint8)
    return write_clinic(folder, [frame] * len(names), [np.ones((68, 2))] * len(names), names, patients)


def test_the_patient_is_the_column_or_else_the_start_of_the_file_name(tmp_path):
    names = ["07_a.png", "07-b.png", "12_a_1.png"]
    clinic = finetune.read_clinic(blank_clinic(tmp_path / "a", names))
    assert clinic.patients == ["07", "07", "12"] and "file name" in clinic.told_by
    clinic = finetune.read_clinic(blank_clinic(tmp_path / "b", names, ["x", "y", "y"]))
    assert clinic.patients == ["x", "y", "y"] and clinic.told_by == "the column patient"
    with pytest.raises(Error, match="12_a_1.png has an empty patient"):
        finetune.read_clinic(blank_clinic(tmp_path / "c", names, ["x", "y", ""]))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["eyes", "--finetune", ".", "-o", "out"], "expected face"),
        (["face", "--finetune", "."], "--output is missing"),
        (["face", "--finetune", "nowhere", "-o", "out"], "nowhere is not a folder"),
    ],
)
def test_wrong_use_of_finetune_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1


# ---- end to end


@pytest.fixture(scope="module")
def clinic(tmp_path_factory) -> Path:
    """Four rendered patients whose clinic marks the mouth 4 % of the eye corners' distance lower."""
    from dmask.options import make_pipeline
    from dmask.synthetic import Pose, SyntheticPatient

    pipeline = make_pipeline({"precision": "f32", "threads": 1})
    frames, points, names = [], [], []
    for seed in range(4):
        patient = SyntheticPatient(seed=seed, size=(240, 240))
        for k, yaw_deg in enumerate((-8, 0, 8)):
            frame, _ = patient.render(Pose(head_yaw_deg=yaw_deg))
            pipeline.reset()
            xy = np.array(pipeline.detect(frame, 0.0).face[:, :2], np.float64)
            xy[48:68, 1] += 0.04 * np.linalg.norm(xy[36] - xy[45])
            frames.append(frame)
            points.append(xy)
            names.append(f"{seed}_{k}.png")
    return write_clinic(tmp_path_factory.mktemp("clinic") / "frames", frames, points, names)


OPTIONS = finetune.Options(steps=24, batch=8, rate=5e-4, warm_up=4, evaluate_every=8)


def test_a_clinics_convention_is_learnt_and_reported(clinic, tmp_path, capsys):
    shipped = sha256(SHIPPED)
    report = finetune.run(clinic, tmp_path / "out", SHIPPED, OPTIONS)
    assert report["after"]["nme_pct"] < 0.9 * report["before"]["nme_pct"]
    assert report["patients"] == {"training": 3, "validation": 1}
    assert report["start"]["sha256"] == shipped == sha256(SHIPPED)
    assert report["result"]["sha256"] == sha256(tmp_path / "out" / "face68.onnx")
    assert json.loads((tmp_path / "out" / "face68.json").read_text())["after"] == report["after"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["face68.json", "face68.onnx"]
    said = capsys.readouterr().out
    assert "by the file name up to its first _ or -" in said and "before" in said


def test_frames_of_a_validation_patient_never_train(clinic, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(finetune, "ClinicSampler", lambda people: trained.extend(people.paths))
    validated = []

    def keep(net, sampler, crops, xy, options):
        validated.append(len(crops))
        return net, 0

    monkeypatch.setattr(finetune, "improve", keep)
    with pytest.raises(Error, match="no gain on 1 validation patients"):
        finetune.run(clinic, tmp_path / "out", SHIPPED, OPTIONS)
    assert len({path.name.split("_")[0] for path in trained}) == 3 and len(trained) == 9 and validated == [3]
    assert not (tmp_path / "out").exists()


def test_training_stops_when_the_validation_patients_gain_no_more(monkeypatch):
    net = build("face").eval()
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 255, (2, FACE_PX, FACE_PX, 3), dtype=np.uint8)
    xy = rng.uniform(20, 100, (2, 68, 2)).astype(np.float32)
    errors = iter([5.0, 4.0, 4.5, 4.2, 4.1, 3.0])
    monkeypatch.setattr(faces, "normalised_error", lambda _p, _t: np.array([next(errors) / 100]))
    batches = []

    class Sampler:
        def batch(self, rng, n, strength):
            batches.append(n)
            ones = np.ones((n, 68), np.float32)
            return {"image": crops[:n], "xy_px": xy[:n], "weight": ones, "visible": ones, "known": ones}

    options = finetune.Options(steps=100, batch=2, evaluate_every=1, patience=3)
    _, best = finetune.improve(net, Sampler(), crops, xy, options)
    assert best == 1 and len(batches) == 4
