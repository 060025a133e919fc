"""What `dmask train` can train: net, pictures, loss and validation, put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dmask.environment import weights_dir
from dmask.evaluate.single_eye import EyeNets
from dmask.point_order import MIRROR_68
from dmask.train.data import faces
from dmask.train.loop import Task, device_of, to_tensors
from dmask.train.nets.export import write_onnx
from dmask.train.nets.heatmap import decode, inside, landmark_loss, softmax_map, taught_loss
from dmask.train.nets.networks import FACE, EyeNet, build
from dmask.train.nets.start import REVIVING_BATCHES, load_eyes, load_onnx, revive, widen

FACES = ("face", "wide-face")
PATIENTS_SHARE = 0.35  # of the pictures


def landmarks_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    heatmaps, visibility = net(batch["image"])
    return landmark_loss(
        heatmaps, visibility, batch["xy_px"], batch["weight"], batch["visible"], batch["known"]
    )


def distilled(teacher: nn.Module) -> Callable[[nn.Module, dict[str, Tensor]], Tensor]:
    """`landmarks_loss` beside what `teacher` sees in the crop before anything was put before it.

    It looks at the mirrored crop too; both maps' mean is learnt, hidden points like the others.
    """
    teacher.requires_grad_(False)
    mirror = torch.from_numpy(MIRROR_68)

    def loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        heatmaps, visibility = net(batch["image"])
        clean = batch["clean"]
        if device_of(teacher) != clean.device:
            teacher.to(clean.device)
        with torch.no_grad():
            near, far = softmax_map(teacher(torch.cat([clean, clean.flip(3)]))[0]).chunk(2)
            taught = 0.5 * (near + far[:, mirror.to(far.device)].flip(3))
        weight = batch["taught"] * inside(batch["xy_px"], *clean.shape[2:])
        from_teacher = (taught_loss(heatmaps, taught) * weight).sum() / weight.sum().clamp(min=1)
        labels = [batch[name] for name in ("xy_px", "weight", "visible", "known")]
        return from_teacher + landmark_loss(heatmaps, visibility, *labels)

    return loss


@torch.no_grad()
def predict(net: nn.Module, images: np.ndarray, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Decoded points (N,K,2) px and visibility logits (N,K) of RGB uint8 pictures, in float32."""
    xy, seen = [], []
    for k in range(0, len(images), size):
        heatmaps, visibility = net(to_tensors({"image": images[k : k + size]}, device_of(net))["image"])
        xy.append(decode(heatmaps).cpu().numpy())
        seen.append(visibility.cpu().numpy())
    return np.concatenate(xy), np.concatenate(seen)


def load_start(net: nn.Module, start: Path) -> nn.Module:
    """Puts the averaged weights of a checkpoint, or those of an ONNX file, into `net`; in eval mode."""
    if start.suffix != ".onnx":
        net.load_state_dict(torch.load(start, weights_only=True, map_location="cpu")["average"])
        return net.eval()
    return load_eyes(net, start) if isinstance(net, EyeNet) else load_onnx(net, start)


def start_task(task: Task, start: Path, widens: bool = False) -> None:
    """Makes a task go on from a checkpoint or from ONNX files, whose normalisations it revives.

    `widens`: `start` is a narrow net, whose answers the task's wide one starts with.
    """
    net = load_start(build("face") if widens else task.net, start)
    if start.suffix == ".onnx":
        revive(net, some_images(replace(task, net=net)))
    if widens:
        widen(net, task.net)


def some_images(task: Task) -> Iterator[Tensor]:
    """Batches of training crops, the same at every call."""
    for k in range(REVIVING_BATCHES):
        images = task.batch(np.random.default_rng([0, 0, k]), 32, 1.0)["image"]
        yield to_tensors({"image": images}, device_of(task.net))["image"]


def labeller(start: Path) -> faces.Predictor:
    """The face net of a checkpoint or of an ONNX file as a function of crops."""
    net = load_start(build("face"), start)
    return lambda crops: predict(net, crops)[0]


@dataclass
class FaceChecks:
    """Held-out people's crops (N,128,128,3) and points, the shift of their labels in crop px, and renders."""

    crops: NDArray[np.uint8]
    xy: NDArray[np.float32]
    right_px: NDArray[np.float32]
    rendered: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None

    def measure(self, net: nn.Module) -> dict[str, float]:
        unbiased = self.xy - self.right_px[:, None, None] * np.array([1, 0], np.float32)
        predicted = predict(net, self.crops)[0]
        error = faces.normalised_error(predicted, self.xy)
        masked = predict(net, faces.behind_masks(self.crops, self.xy))[0]
        figures = {
            "nme_pct": error.mean(),
            "failures_10pct": (error > 0.10).mean() / 100,
            "unbiased_nme_pct": faces.normalised_error(predicted, unbiased).mean(),
            "masked_nme_pct": faces.normalised_error(masked, unbiased).mean(),
        }
        if self.rendered is not None:
            images, xy = self.rendered
            figures["rendered_nme_pct"] = faces.normalised_error(predict(net, images)[0], xy).mean()
        return {name: 100 * float(value) for name, value in figures.items()}


def face_checks(data: Path, rendered: Path | None = None) -> FaceChecks:
    _, held_out = faces.split_human(data)
    crops, xy, scales = faces.validation_crops(held_out)
    renders = faces.synthetic_crops(rendered) if rendered else None
    return FaceChecks(crops, xy, faces.LABELS_RIGHT_PX * scales, renders)


def make_face(
    what: str,
    data: Path,
    output: Path,
    teacher: Path | None,
    distil: Path | None,
    synthetic: Path | None,
    extra: faces.Faces | None,
    patients: Path | None = None,
) -> Task:
    """`synthetic`: folder of rendered faces; then nothing else is trained on, human labels only measure.

    `patients`: folder of patients' faces (`render-patients --faces`), which train beside photographs.
    `distil`: a checkpoint of the wide net, or an ONNX file of this one.
    """
    wide = None
    if distil is not None:
        wide = load_start(build("face" if distil.suffix == ".onnx" else "wide-face"), distil)
    sampler: faces.FaceSampler | faces.SyntheticFaceSampler | faces.MixedFaceSampler
    if synthetic is None:
        gate = math.inf if distil else faces.EYES_AGREE  # what a net teaches needs no other label
        photographs = faces.read_photographs(data, labeller(teacher) if teacher else None, extra, gate)
        sampler = faces.FaceSampler(photographs, clean=wide is not None)
        if patients is not None:
            drawn = faces.read_synthetic_faces(sorted(patients.glob("train*.npz")))
            others = faces.SyntheticFaceSampler(*drawn, clean=wide is not None)
            sampler = faces.MixedFaceSampler(sampler, others, PATIENTS_SHARE)
    else:
        rendered = faces.read_synthetic_faces(sorted(synthetic.glob("train*.npz")))
        sampler = faces.SyntheticFaceSampler(*rendered, clean=wide is not None)
    folder = synthetic or patients
    checks = face_checks(data, folder / "validation.npz" if folder else None)

    def export(net: nn.Module) -> None:
        if what == "face":
            write_onnx(net, FACE, output / "face68.onnx")

    loss = distilled(wide) if wide else landmarks_loss
    return Task(build(what), sampler.batch, loss, checks.measure, export)


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
    distil: Path | None = None,
    patients: Path | None = None,
) -> Task:
    """The task `face`, `wide-face`, `finder`, `eyes`, or one head of the eyes; `output`: of the ONNX files.

    `extra`: folders of other sets by name: 300w, wflw for the face; unityeyes, edges, masks for the eyes.

    The net starts from the averaged weights of a checkpoint, from an ONNX file (of the eyes: from the three
    of its folder), or from nothing.
    """
    extra = extra or {}
    if what in FACES:
        from dmask.train.data import datasets

        more = datasets.read_extra(extra.get("300w"), extra.get("wflw"))
        rendered = synthetic_faces if weights == "open" else None
        task = make_face(what, data, output, teacher, distil, rendered, more, patients)
    elif what == "finder":
        from dmask.train import finder_task

        assert synthetic is not None and synthetic_faces is not None
        task = finder_task.make(data, synthetic, synthetic_faces, output, weights)
    elif what == "regions":
        from dmask.train import region_task

        assert synthetic is not None
        task = region_task.make(data, synthetic, output, weights)
    else:
        from dmask.train import eye_tasks
        from dmask.train.data import eye_datasets

        more_eyes = eye_datasets.read_extra(extra.get("unityeyes"), extra.get("edges"))
        masks = extra.get("masks")
        masked = eye_datasets.read_globe_masks(masks, EyeNets(weights_dir(weights))) if masks else None
        task = eye_tasks.make(what, data, synthetic, output, work, weights, more_eyes, masked)
    if start_from is not None:
        start_task(task, start_from, widens=what == "wide-face")
    return task
