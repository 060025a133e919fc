"""What `dmask train` can train: net, pictures, loss and validation, put together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dmask.train.data import faces
from dmask.train.loop import Task, to_tensors
from dmask.train.nets.export import write_onnx
from dmask.train.nets.heatmap import decode, landmark_loss
from dmask.train.nets.networks import FACE, EyeNet, build
from dmask.train.nets.start import REVIVING_BATCHES, load_eyes, load_onnx, revive


def landmarks_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    heatmaps, visibility = net(batch["image"])
    return landmark_loss(
        heatmaps, visibility, batch["xy_px"], batch["weight"], batch["visible"], batch["known"]
    )


@torch.no_grad()
def predict(net: nn.Module, images: np.ndarray, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Decoded points (N,K,2) px and visibility logits (N,K) of RGB uint8 pictures, in float32."""
    xy, seen = [], []
    for k in range(0, len(images), size):
        heatmaps, visibility = net(to_tensors({"image": images[k : k + size]})["image"])
        xy.append(decode(heatmaps).numpy())
        seen.append(visibility.numpy())
    return np.concatenate(xy), np.concatenate(seen)


def load_start(net: nn.Module, start: Path) -> nn.Module:
    """Puts the averaged weights of a checkpoint, or those of an ONNX file, into `net`; in eval mode."""
    if start.suffix != ".onnx":
        net.load_state_dict(torch.load(start, weights_only=True)["average"])
        return net.eval()
    return load_eyes(net, start) if isinstance(net, EyeNet) else load_onnx(net, start)


def start_task(task: Task, start: Path) -> None:
    """Makes a task go on from a checkpoint or from ONNX files, whose normalisations it revives."""
    load_start(task.net, start)
    if start.suffix == ".onnx":
        revive(task.net, some_images(task))


def some_images(task: Task) -> Iterator[Tensor]:
    """Batches of training crops, the same at every call."""
    for k in range(REVIVING_BATCHES):
        images = task.batch(np.random.default_rng([0, 0, k]), 32, 1.0)["image"]
        yield to_tensors({"image": images})["image"]


def labeller(start: Path) -> faces.Predictor:
    """The face net of a checkpoint or of an ONNX file as a function of crops."""
    net = load_start(build("face"), start)
    return lambda crops: predict(net, crops)[0]


def face_task(
    data: Path,
    output: Path,
    teacher: Path | None,
    synthetic: Path | None = None,
    extra: faces.Faces | None = None,
) -> Task:
    """`synthetic`: folder of rendered faces; then nothing else is trained on, human labels only measure."""
    sampler: faces.FaceSampler | faces.SyntheticFaceSampler
    if synthetic is None:
        sampler = faces.FaceSampler(data, labeller(teacher) if teacher else None, extra=extra)
    else:
        sampler = faces.SyntheticFaceSampler(sorted(synthetic.glob("train*.npz")))
    _, held_out = faces.split_human(data)
    crops, xy, _ = faces.validation_crops(held_out)
    rendered = faces.synthetic_crops(synthetic / "validation.npz") if synthetic else None

    def evaluate(net: nn.Module) -> dict[str, float]:
        error = faces.normalised_error(predict(net, crops)[0], xy)
        figures = {"nme_pct": 100 * error.mean(), "failures_10pct": float((error > 0.10).mean())}
        if rendered is not None:
            error = faces.normalised_error(predict(net, rendered[0])[0], rendered[1])
            figures["rendered_nme_pct"] = 100 * error.mean()
        return figures

    return Task(
        build("face"), sampler.batch, landmarks_loss, evaluate, lambda net: write_onnx(net, FACE, output)
    )


def make(
    what: str,
    data: Path,
    output: Path,
    work: Path,
    synthetic: Path | None = None,
    start_from: Path | None = None,
    teacher: Path | None = None,
    weights: str = "research",
    synthetic_faces: Path | None = None,
    extra: dict[str, Path] | None = None,
) -> Task:
    """The task `face`, `eyes`, or one head of the eyes; `output` is the folder of the ONNX files.

    `extra`: folders of other sets by name: 300w, wflw for the face; unityeyes, edges for the eyes.

    The net starts from the averaged weights of a checkpoint, from an ONNX file (of the eyes: from the three
    of its folder), or from nothing.
    """
    extra = extra or {}
    if what == "face":
        from dmask.train.data import datasets

        more = datasets.read_extra(extra.get("300w"), extra.get("wflw"))
        rendered = synthetic_faces if weights == "open" else None
        task = face_task(data, output / "face68.onnx", teacher, rendered, more)
    else:
        from dmask.train import eye_tasks
        from dmask.train.data import eye_datasets

        more_eyes = eye_datasets.read_extra(extra.get("unityeyes"), extra.get("edges"))
        task = eye_tasks.make(what, data, synthetic, output, work, weights, more_eyes)
    if start_from is not None:
        start_task(task, start_from)
    return task
