"""Fine-tuning of the face net on a clinic's own frames: `dmask train face --finetune DIR -o FOLDER`.

DIR holds landmarks68.csv (image, x0, y0 ... x67, y67, optionally patient) and the pictures. Patients, not
pictures, are split into training and validation. The net starts from the shipped ONNX file, whose folded
normalisation stays folded, and stops when the validation patients no longer gain. They choose the step, so
their gain is a little flattering; new patients (`dmask eval landmarks`) tell the rest.
"""

from __future__ import annotations

import copy
import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dmask.environment import hardware, sha256, versions
from dmask.errors import Error
from dmask.io.labelled import find_labels
from dmask.io.report import write_report
from dmask.train.data import faces
from dmask.train.loop import follow, optimiser_of, to_tensors
from dmask.train.nets.export import compile_f32, write_onnx
from dmask.train.nets.heatmap import decode
from dmask.train.nets.networks import FACE, build
from dmask.train.nets.start import load_onnx
from dmask.train.tasks import landmarks_loss, predict

VALIDATION_SHARE = 0.2  # of the patients, at the least
FAILURE = 0.10  # of the outer corners' distance


@dataclass
class Options:
    steps: int = 2000  # at the most
    batch: int = 16
    rate: float = 1e-4
    weight_decay: float = 1e-2
    warm_up: int = 20  # steps
    strength: float = 0.35  # of the augmentation, 0..1
    clip: float = 1.0  # gradient norm
    average: float = 0.98  # of the weights, a step
    evaluate_every: int = 50  # steps
    patience: int = 6  # evaluations without a gain
    seed: int = 1
    threads: int = 1


@dataclass
class Clinic:
    """The labelled frames of a folder, who is on each, and how that is known."""

    people: faces.Faces
    patients: list[str]
    told_by: str


def read_clinic(folder: Path) -> Clinic:
    """Raises WrongUse or Error where labels, pictures or patients are missing."""
    labelled = find_labels(folder)
    named = [face.tags.get("patient", "").strip() for face in labelled]
    if any(named):
        if not all(named):
            path = labelled[named.index("")].path
            raise Error(f"{path.name} has an empty patient in the table; expected a name or number for each")
        patients, told_by = named, "the column patient"
    else:
        patients = [re.split(r"[_-]", face.path.stem, maxsplit=1)[0] for face in labelled]
        told_by = "the file name up to its first _ or -"
    xy = np.stack([face.xy for face in labelled]).astype(np.float32)
    paths = [face.path for face in labelled]
    return Clinic(faces.Faces(paths, xy, np.ones(len(paths), bool)), patients, told_by)


def validation_patients(patients: list[str], seed: int) -> set[str]:
    """At least a fifth of the patients, by a hash of seed and name. Raises Error for fewer than two."""
    everyone = sorted(set(patients), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    if len(everyone) < 2:
        raise Error(
            f"got frames of {len(everyone)} patient; expected 2 or more, so that some can validate: "
            "add patients, or name them in a column patient"
        )
    return set(everyone[: math.ceil(VALIDATION_SHARE * len(everyone))])


class ClinicSampler(faces.FaceSampler):
    """Training crops of a clinic's frames alone."""

    def __init__(self, people: faces.Faces) -> None:
        images, points = faces.cache(people)
        trust = np.ones(len(images), np.float32)
        super().__init__(faces.Photographs(images, points, trust, len(images)), machine_share=0)


def onnx_error(path: Path, crops: NDArray[np.uint8], xy: NDArray[np.float32]) -> dict[str, float]:
    """What the file answers in use, OpenVINO in f32, on labelled crops (N,128,128,3)."""
    net = compile_f32(path)
    images = to_tensors({"image": crops})["image"].contiguous().numpy()
    maps = np.concatenate([net(images[k : k + 32])["heatmaps"] for k in range(0, len(images), 32)])
    error = faces.normalised_error(decode(torch.from_numpy(maps)).numpy(), xy)
    return {
        "nme_pct": round(100 * float(error.mean()), 4),
        "nme_median_pct": round(100 * float(np.median(error)), 4),
        "failures_over_10pct": int((error > FAILURE).sum()),
    }


def run(folder: Path, output: Path, start: Path, options: Options) -> dict:
    """Fine-tunes `start` on the frames in `folder`, writes output/face68.onnx and .json; returns the latter.

    Raises Error where there are too few patients or nothing is gained; then nothing is written.
    """
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    clinic = read_clinic(folder)
    held_out = validation_patients(clinic.patients, options.seed)
    validates = np.array([patient in held_out for patient in clinic.patients])
    training, validation = (clinic.people.take(np.flatnonzero(part)) for part in (~validates, validates))
    count = len(set(clinic.patients))
    print(f"{count} patients by {clinic.told_by}: {len(held_out)} validate ({validates.sum()} frames)")

    net = load_onnx(build("face"), start)
    crops, xy, _ = faces.validation_crops(validation)
    best_net, best_step = improve(net, ClinicSampler(training), crops, xy, options)
    before = onnx_error(start, crops, xy)
    if best_step == 0:
        raise Error(
            f"no gain on {len(held_out)} validation patients ({before['nme_pct']:.2f} % before); expected a "
            "smaller error: give more frames or another --rate; nothing is written"
        )
    report = {
        "start": {"file": start.name, "sha256": sha256(start)},
        "result": {"file": f"{FACE.name}.onnx"},
        "patients": {"training": count - len(held_out), "validation": len(held_out)},
        "patients_told_by": clinic.told_by,
        "frames": {"training": int((~validates).sum()), "validation": int(validates.sum())},
        "before": before,
        "step": best_step,
        "options": vars(options),
        "hardware": hardware(),
        "versions": versions() | {"torch": torch.__version__},
    }
    report["result"]["sha256"] = write_onnx(best_net, FACE, output / f"{FACE.name}.onnx")
    report["after"] = onnx_error(output / f"{FACE.name}.onnx", crops, xy)
    write_report(output / f"{FACE.name}.json", report)
    print(table(report))
    return report


def improve(
    net: nn.Module, sampler: ClinicSampler, crops: NDArray, xy: NDArray, options: Options
) -> tuple[nn.Module, int]:
    """The averaged net at the step with the least validation error, and that step (0: none was better).

    The net stays in eval mode: its normalisation has no statistics left to follow.
    """
    optimiser = optimiser_of(net, options)
    average = copy.deepcopy(net)

    def error() -> float:
        return 100 * float(faces.normalised_error(predict(average, crops)[0], xy).mean())

    least, best, best_step = error(), copy.deepcopy(average), 0
    print(f"step 0: {least:.3f} % on the validation patients", flush=True)
    for step in range(1, options.steps + 1):
        rng = np.random.default_rng([options.seed, step])
        batch = to_tensors(sampler.batch(rng, options.batch, options.strength))
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1.0, step / options.warm_up)
        loss = landmarks_loss(net, batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), options.clip)
        optimiser.step()
        follow(average, net, min(options.average, (1 + step) / (10 + step)))
        if step % options.evaluate_every == 0 or step == options.steps:
            now = error()
            print(f"step {step}: {now:.3f} %", flush=True)
            if now < least:
                least, best, best_step = now, copy.deepcopy(average), step
            elif step - best_step >= options.patience * options.evaluate_every:
                break
    return best, best_step


def table(report: dict) -> str:
    """Before and after on the validation patients, as lines of text."""
    lines = [f"{'validation patients':<20}{'before':>10}{'after':>10}"]
    for name in report["before"]:
        lines.append(f"{name:<20}{report['before'][name]:>10g}{report['after'][name]:>10g}")
    return "\n".join(lines)
