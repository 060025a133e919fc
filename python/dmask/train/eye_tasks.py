"""The eye nets' tasks: eyelid, iris, lines, on real and rendered eyes together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from . import eyes, measures
from .export import write_onnx
from .lines import lines_loss, predict_edges
from .loop import Task, to_tensors
from .networks import SPECS, build

VALIDATION_RENDERS = 600


def real_eyes(data: Path, work: Path) -> tuple[eyes.Eyes, eyes.Eyes]:
    """Crops of the labelled faces, cut once and kept in `work`."""
    folders = work / "real_train", work / "real_val"
    if not all((folder / "outer_corners_px.npy").exists() for folder in folders):
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


def make(what: str, data: Path, synthetic: Path, output: Path, work: Path) -> Task:
    from .tasks import landmarks_loss, predict

    real, real_held_out = real_eyes(data, work)
    rendered = eyes.read_synthetic(sorted(synthetic.glob("train*.npz")))
    held_out = validation_eyes(real_held_out, synthetic)
    if seen := set(rendered.name) & set(held_out.name):
        raise ValueError(
            f"{synthetic}: {', '.join(sorted(seen))} in training and validation; expected no person in both"
        )
    crops = eyes.nominal(held_out)
    if what == "lines":
        # Real eyes teach the margins only: nobody has drawn creases and bulges on them.
        sampler = eyes.EyeSampler(what, real, rendered, real_share=0.3)
        rendered_only = held_out.take(np.flatnonzero(~held_out.real))
        pictures = to_tensors({"image": eyes.nominal(rendered_only)})["image"]

        def evaluate(net: nn.Module) -> dict[str, float]:
            return measures.line_measures(rendered_only, *predict_edges(net, pictures))

        loss = lines_loss
    else:
        # The truth about irises is in the renders; about lids, people have said more.
        sampler = eyes.EyeSampler(what, real, rendered, real_share=0.5 if what == "eyelid" else 0.4)
        measure = measures.lid_measures if what == "eyelid" else measures.iris_measures

        def evaluate(net: nn.Module) -> dict[str, float]:
            return measure(held_out, *predict(net, crops))

        loss = landmarks_loss
    return Task(build(what), sampler.batch, loss, evaluate, lambda net: write_onnx(net, SPECS[what], output))
