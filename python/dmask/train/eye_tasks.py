"""The eye nets' task: eyelid, iris and lines share a trunk and are trained together."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dmask.train import measures
from dmask.train.data import eyes
from dmask.train.loop import Task, device_of, to_tensors
from dmask.train.nets.export import write_eye_nets
from dmask.train.nets.heatmap import decode, landmark_loss
from dmask.train.nets.lines import lines_loss
from dmask.train.nets.networks import EyeNet, build

VALIDATION_RENDERS = 600
# Of the pictures: close-ups with masks; patients by the mask's renderer and by the studio's camera
# (`render-patients`); of the rest real ones: people have said more about lids, renders more about irises.
MASKS_SHARE, PATIENTS_SHARES = 0.10, {"patients": 0.08, "studio": 0.17}
REAL_SHARE = 0.5


def real_eyes(data: Path, work: Path) -> tuple[eyes.Eyes, eyes.Eyes]:
    """Crops of the labelled faces, cut once and kept in `work`."""
    folders = work / "real_train", work / "real_val"
    if not all((folder / "occluder.npy").exists() for folder in folders):
        for part, folder in zip(eyes.read_real(data), folders, strict=True):
            part.save(folder)
    return eyes.Eyes.load(folders[0]), eyes.Eyes.load(folders[1])


def validation_eyes(real: eyes.Eyes, synthetic: Path) -> eyes.Eyes:
    rendered = eyes.read_synthetic(sorted(synthetic.glob("validation*.npz")))
    real = real.take(np.arange(len(real)))
    both = eyes.Eyes.concatenate([real, rendered.take(np.arange(min(len(rendered), VALIDATION_RENDERS)))])
    for i in range(len(both)):
        both.iris[i], both.iris_visible[i] = eyes.from_twelve(both.iris[i], both.iris_visible[i])
    return both


def far_eyes(synthetic: Path) -> eyes.Eyes | None:
    """Held-out eyes that look far aside (`render-eyes --gaze far`), where there are any."""
    files = sorted(synthetic.glob("far_validation*.npz"))
    if not files:
        return None
    far = eyes.read_synthetic(files)
    for i in range(len(far)):
        far.iris[i], far.iris_visible[i] = eyes.from_twelve(far.iris[i], far.iris_visible[i])
    return far


def eyes_loss(net: EyeNet, batch: dict[str, Tensor]) -> Tensor:
    """Sum of the three nets' losses, each about as large as the others."""
    heatmaps, visibility, features = net.eyelid(batch["image"])
    outputs = {"eyelid": (heatmaps, visibility), "iris": net.iris(features)}
    loss = lines_loss(net.lines, features, batch)
    for name, (maps, seen) in outputs.items():
        keys = ("xy_px", "weight", "visible", "known")
        loss = loss + landmark_loss(maps, seen, *(batch[f"{name}_{key}"] for key in keys))
    return loss


def sight_loss(net: EyeNet, batch: dict[str, Tensor]) -> Tensor:
    """What of the lids counts as seen, alone."""
    with torch.no_grad():
        features, look = net.eyelid.trunk(batch["image"])
    _, visibility = net.eyelid.points(features, look)
    visible, known = batch["eyelid_visible"], batch["eyelid_known"]
    seen = F.binary_cross_entropy_with_logits(visibility, visible, known, reduction="sum")
    return seen / known.sum().clamp(min=1)


@torch.no_grad()
def predict_eyes(net: EyeNet, images: NDArray[np.uint8], size: int = 64) -> dict[str, NDArray]:
    """Points `lid` (N,20,2), `iris` (N,19,2) px, their visibility logits, `edges` and `presence` logits."""
    parts: dict[str, list] = {}
    for k in range(0, len(images), size):
        heatmaps, seen, features = net.eyelid(
            to_tensors({"image": images[k : k + size]}, device_of(net))["image"]
        )
        iris, iris_seen = net.iris(features)
        edges, presence = net.lines(features)
        out = {"lid": decode(heatmaps), "lid_seen": seen, "iris": decode(iris), "iris_seen": iris_seen}
        for name, value in (out | {"edges": edges, "presence": presence}).items():
            parts.setdefault(name, []).append(value.cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def measure_eyes(held_out: eyes.Eyes, out: dict[str, NDArray]) -> dict[str, float]:
    """All figures of the three nets, `eyelid_`, `iris_` or `lines_` before each name."""
    parts = {
        "eyelid": measures.lid_measures(held_out, out["lid"], out["lid_seen"]),
        "iris": measures.iris_measures(
            held_out, measures.steadied_centre(out["iris"], out["iris_seen"]), out["iris_seen"]
        ),
        "lines": measures.line_measures(held_out, out["edges"], out["presence"]),
    }
    return {f"{net}_{name}": value for net, part in parts.items() for name, value in part.items()}


def make(
    what: str,
    data: Path,
    synthetic: Path,
    output: Path,
    work: Path,
    weights: str,
    extra: eyes.Eyes | None = None,
    masks: eyes.Eyes | None = None,
) -> Task:
    """The task of `weights` research (real and rendered eyes) or open (rendered ones alone).

    `extra` eyes train beside them, real ones with the real, rendered ones with the rendered; `masks`, and the
    patients of `synthetic` (patients_train*, studio_train*), are sets of their own.

    `what` is eyes (trunk and heads), or eyelid, iris or lines: that head alone on the trunk as it is; or
    sight: what of the lids counts as seen, every point staying where it is.
    """
    real, real_held_out = real_eyes(data, work)
    rendered = eyes.read_synthetic(
        [*sorted(synthetic.glob("train*.npz")), *sorted(synthetic.glob("far_train*.npz"))]
    )
    held_out = validation_eyes(real_held_out, synthetic)
    if seen := set(rendered.name) & set(held_out.name):
        raise ValueError(
            f"{synthetic}: {', '.join(sorted(seen))} in training and validation; expected no person in both"
        )
    if extra is not None:
        real = eyes.Eyes.concatenate([real, extra.take(np.flatnonzero(extra.real))])
        rendered = eyes.Eyes.concatenate([rendered, extra.take(np.flatnonzero(~extra.real))])
    crops = eyes.nominal(held_out)
    others = [] if masks is None else [(masks, MASKS_SHARE)]
    for kind, share in PATIENTS_SHARES.items():
        if files := sorted(synthetic.glob(f"{kind}_train*.npz")):
            others.append((eyes.read_synthetic(files), share))
    sampler = eyes.EyeSampler(
        real if weights == "research" else None, rendered, REAL_SHARE, what == "sight", others
    )

    def evaluate(net: nn.Module) -> dict[str, float]:
        return measure_eyes(held_out, predict_eyes(net, crops))

    net = build("eyes")
    export = partial(write_eye_nets, folder=output)
    loss = sight_loss if what == "sight" else eyes_loss
    return Task(net, sampler.batch, loss, evaluate, export, part_of(net, what))


def part_of(net: nn.Module, what: str) -> nn.Module:
    """What of an EyeNet is trained as `what`."""
    if what == "eyes":
        return net
    points = net.eyelid.points
    sight = nn.ModuleList([points.evidence, points.glance])
    return {"eyelid": points, "iris": net.iris, "lines": net.lines, "sight": sight}[what]
