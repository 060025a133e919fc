"""The task of the net that finds eyes where no face is in sight."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dmask.train.data import closeups
from dmask.train.loop import Task, device_of, to_tensors
from dmask.train.nets.export import write_onnx
from dmask.train.nets.finder import FoundEye, finder_loss, found_eyes
from dmask.train.nets.networks import FINDER, build

VALIDATION_VIEWS, EYELESS_VIEWS = 800, 400
VALIDATION_STRENGTH = 0.7  # of what is done to the pictures
SEEN = 0.5  # score
SAME_PLACE, SAME_SIZE = 0.25, 1.4  # of the width between the canthi: of a found eye and the one that is there


@torch.no_grad()
def predict(net: nn.Module, images: NDArray[np.uint8], size: int = 64) -> NDArray[np.float32]:
    """Maps (N,6,h,w) of views (N,128,192,3) RGB."""
    parts = []
    for k in range(0, len(images), size):
        (maps,) = net(to_tensors({"image": images[k : k + size]}, device_of(net))["image"])
        parts.append(maps.cpu().numpy())
    return np.concatenate(parts)


class Checks:
    """Views of held-out people and skins, some of them without an eye."""

    def __init__(self, groups: dict[str, closeups.CloseUpSampler]) -> None:
        rng = np.random.default_rng(77)
        self.views = {
            name: [sampler.view(rng, VALIDATION_STRENGTH, False) for _ in range(VALIDATION_VIEWS)]
            for name, sampler in groups.items()
        }
        self.eyeless = np.stack(
            [sampler.eyeless(rng, VALIDATION_STRENGTH) for sampler in groups.values()
             for _ in range(EYELESS_VIEWS)]
        )  # fmt: skip

    def measure(self, net: nn.Module) -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, views in self.views.items():
            maps = predict(net, np.stack([view[0] for view in views]))
            figures |= {f"{name}_{key}": value for key, value in compare(views, maps).items()}
        maps = predict(net, self.eyeless)
        figures["false_pct"] = 100 * float(np.mean([bool(found_eyes(one, SEEN)) for one in maps]))
        return figures


def compare(views: list[closeups.View], maps: NDArray[np.float32]) -> dict[str, float]:
    """Of the eyes that count: how many are found, how well, and what else is found."""
    found_any, error, side, besides = [], [], [], 0
    for (_, canthi, inner_right, counts), one in zip(views, maps, strict=True):
        found = found_eyes(one, SEEN)
        besides += sum(not any(is_of(eye, ends) for ends in canthi) for eye in found)
        for ends, right in zip(canthi[counts], inner_right[counts], strict=True):
            mine = next((eye for eye in found if is_of(eye, ends)), None)
            found_any.append(mine is not None)
            if mine is not None:
                width = np.linalg.norm(ends[1] - ends[0])
                error.append(np.linalg.norm(mine.canthi - ends, axis=1).mean() / width)
                side.append((mine.inner_right > 0.5) == (right > 0.5))
    return {
        "found_pct": 100 * float(np.mean(found_any)),
        "canthi_pct": 100 * float(np.median(error)) if error else float("nan"),
        "side_pct": 100 * float(np.mean(side)) if side else float("nan"),
        "besides_pct": 100 * besides / len(views),
    }


def is_of(eye: FoundEye, canthi: NDArray[np.float32]) -> bool:
    width, found = (float(np.linalg.norm(ends[1] - ends[0])) for ends in (canthi, eye.canthi))
    off = float(np.linalg.norm(eye.canthi.mean(0) - canthi.mean(0)))
    return off < SAME_PLACE * width and max(width / max(found, 1e-6), found / width) < SAME_SIZE


def make(data: Path, synthetic: Path, synthetic_faces: Path, output: Path, weights: str) -> Task:
    """`synthetic`: folder of rendered eyes, `synthetic_faces` of rendered faces."""
    if weights == "open":
        sources = closeups.open_sources(synthetic, synthetic_faces)
    else:
        sources = closeups.research_sources(data, synthetic, synthetic_faces)
    held_out = closeups.held_out_sources(data, synthetic, synthetic_faces)
    checks = Checks({name: closeups.CloseUpSampler(group) for name, group in held_out.items()})
    export = partial(write_onnx, spec=FINDER, path=output / "eye_finder.onnx")
    return Task(
        build("finder"),
        closeups.CloseUpSampler(sources).batch,
        finder_loss,
        checks.measure,
        lambda net: None if export(net) else None,
    )
