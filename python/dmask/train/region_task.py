"""The task of the net that tells sclera, iris and pupil pixel by pixel in close-ups."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dmask.environment import weights_dir
from dmask.evaluate.single_eye import EyeNets
from dmask.train.data import regions
from dmask.train.loop import Task, device_of, to_tensors
from dmask.train.nets.export import write_onnx
from dmask.train.nets.networks import REGIONS, build

NAMES = ("globe", "iris", "pupil")
MASKS_SHARE = 0.35  # of the pictures: close-ups with masks
SMALLEST = 96.0  # cells of a region in the map, below which its overlap is not counted


def region_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Entropy of every cell, and of each map the share by which it misses its region (dice)."""
    (logits,) = net(batch["image"])
    wanted, known = batch["regions"], batch["known"]
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, known, reduction="sum") / known.sum().clamp(
        min=1
    )
    seen = torch.sigmoid(logits) * known
    wanted = wanted * known
    both, sizes = (seen * wanted).sum((2, 3)), (seen + wanted).sum((2, 3))
    dice = 1 - (2 * both + 4) / (sizes + 4)
    return 10 * entropy + dice.mean()


@torch.no_grad()
def predict(net: nn.Module, images: NDArray[np.uint8], size: int = 32) -> NDArray[np.float32]:
    """Chances (N,3,192,256) of crops (N,192,256,3) RGB."""
    parts = []
    for k in range(0, len(images), size):
        (logits,) = net(to_tensors({"image": images[k : k + size]}, device_of(net))["image"])
        parts.append(torch.sigmoid(logits).cpu().numpy())
    return np.concatenate(parts)


class Checks:
    """Held-out eyes as a perfect tracker would cut them, and lit as a slit lamp may."""

    def __init__(self, groups: dict[str, list[regions.RegionEye]]) -> None:
        self.sets = {}
        for name, eyes in groups.items():
            crops = [regions.cut(eye, regions.placed(eye, None, 0.0)) for eye in eyes]
            maps = [regions.maps_of(one) for _, one in crops]
            self.sets[name] = np.stack([image for image, _ in crops]), maps
        rng = np.random.default_rng(5)
        sampler = regions.RegionSampler([(eyes, 1.0) for eyes in groups.values()])
        lit = [sampler.crop(rng, 0.7) for _ in range(300)]
        self.sets["lit"] = np.stack([one["image"] for one in lit]), lit

    def measure(self, net: nn.Module) -> dict[str, float]:
        figures = {}
        for name, (images, maps) in self.sets.items():
            for k, values in enumerate(overlaps(predict(net, images), maps)):
                if len(values):
                    figures[f"{name}_{NAMES[k]}_iou"] = float(np.median(values))
                    figures[f"{name}_{NAMES[k]}_iou_p5"] = float(np.percentile(values, 5))
        return figures


def overlaps(seen: NDArray[np.float32], maps: list[dict[str, NDArray]]) -> list[NDArray[np.float64]]:
    """Intersection over union of each region, in the eyes that show it."""
    out: list[list[float]] = [[], [], []]
    for chances, one in zip(seen, maps, strict=True):
        for k in range(3):
            known = one["known"][k] > 0
            wanted, found = one["regions"][k][known], chances[k][known]
            if wanted.sum() >= SMALLEST:
                both = np.minimum(wanted, found > 0.5).sum()
                out[k].append(float(both / max(np.maximum(wanted, found > 0.5).sum(), 1e-6)))
    return [np.array(values) for values in out]


def make(data: Path, synthetic: Path, output: Path, weights: str) -> Task:
    """`synthetic`: folder of close_train*.npz and close_validation*.npz of `render-eyes --finer`."""
    renders = regions.rendered(synthetic, "close_train*.npz")
    sources = [(renders, 1.0)]
    nets = EyeNets(weights_dir("research"))
    if weights == "research":
        sources = [(renders, 1 - MASKS_SHARE), (regions.masked(data, False, nets), MASKS_SHARE)]
    held_out = {
        "render": regions.rendered(synthetic, "close_validation*.npz"),
        "mask": regions.masked(data, True, nets),
    }
    export = partial(write_onnx, spec=REGIONS, path=output / "regions.onnx")
    return Task(
        build("regions"),
        regions.RegionSampler(sources).batch,
        region_loss,
        Checks(held_out).measure,
        lambda net: None if export(net) else None,
    )
