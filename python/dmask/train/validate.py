"""Figures of the shipped ONNX files on the held-out people: `dmask train validate`.

Everything runs through OpenVINO on one CPU thread, as in use. Nothing validated here was trained on.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from dmask.environment import cpu_info, sha256
from dmask.errors import Error, WrongUse
from dmask.evaluate.single_eye import OnnxNet, decode, planes
from dmask.io.report import write_report
from dmask.measure.auc import auc
from dmask.point_order import POINT_GROUPS
from dmask.train import eye_tasks, measures
from dmask.train.data import eyes, faces

SPECTACLES = 1 | 32 | 64  # bits of `render_eyes`: frame, thick lens, dark lens
SPECTACLES_FIGURES = (
    "eyelid_render_lid_px_median",
    "iris_render_centre_pct_median",
    "iris_render_radius_error_pct_median",
    "lines_upper_px_mean",
    "lines_crease_f_2px",
)


def stacked(outputs: list[dict[str, NDArray]]) -> dict[str, NDArray]:
    return {name: np.stack([out[name] for out in outputs]) for name in outputs[0]}


def face_figures(path: Path, data: Path, precision: str) -> dict[str, float]:
    _, held_out = faces.split_human(data)
    crops, xy, _ = faces.validation_crops(held_out)
    net = OnnxNet(path, precision)
    out = stacked([net(planes(crop)) for crop in crops])
    predicted = decode(out["heatmaps"])
    error = faces.normalised_error(predicted, xy)
    corners = np.linalg.norm(xy[:, 36] - xy[:, 45], axis=1)
    figures = {"faces": len(xy), "nme_pct": 100 * error.mean(), "nme_median_pct": 100 * np.median(error)}
    figures |= {f"failures_{pct}pct": int((~(100 * error <= pct)).sum()) for pct in (8, 10)}
    for name, ids in POINT_GROUPS.items():
        d = np.linalg.norm(predicted[:, list(ids)] - xy[:, list(ids)], axis=2)
        figures[f"{name}_pct"] = 100 * float((d.mean(1) / corners).mean())
    rng = np.random.default_rng(0)
    covered, labels = [], []
    for image, points in zip(crops, xy, strict=True):
        donor = crops[int(rng.integers(len(crops)))]
        image, hidden = faces.augment.occlude(image, points, rng, donor)
        covered.append(image)
        labels.append(hidden)
    out = stacked([net(planes(crop)) for crop in covered])
    hidden = np.stack(labels)
    figures["visibility_auc"] = auc(out["visibility"][~hidden], out["visibility"][hidden])
    return figures | {"ms": float(np.median(net.times_ms))}


def eye_figures(
    models: Path, held_out: eyes.Eyes, precision: str, far: eyes.Eyes | None = None
) -> dict[str, float]:
    """The three eye nets as they run in use: the trunk once, the heads on its features."""
    nets = {name: OnnxNet(models / f"{name}.onnx", precision) for name in ("eyelid", "iris", "lines")}
    parts: list[dict[str, NDArray]] = []
    for crop in eyes.nominal(held_out):
        lid = nets["eyelid"](planes(crop))
        iris, lines = nets["iris"](lid["features"]), nets["lines"](lid["features"])
        points = {"lid": lid["heatmaps"], "lid_seen": lid["visibility"]}
        parts.append(points | {"iris": iris["heatmaps"], "iris_seen": iris["visibility"]} | lines)
    out = stacked(parts)
    out["lid"], out["iris"] = decode(out["lid"]), decode(out["iris"])
    figures: dict[str, float] = {"real": int(held_out.real.sum()), "rendered": int((~held_out.real).sum())}
    figures |= eye_tasks.measure_eyes(held_out, out)
    spectacles = np.flatnonzero(~held_out.real & ((held_out.occluder & SPECTACLES) > 0))
    if len(spectacles):
        figures["spectacles"] = len(spectacles)
        group = eye_tasks.measure_eyes(held_out.take(spectacles), {k: v[spectacles] for k, v in out.items()})
        figures |= {f"spectacles_{name}": group[name] for name in SPECTACLES_FIGURES if name in group}
    figures |= {f"{name}_ms": float(np.median(net.times_ms)) for name, net in nets.items()}
    if far is not None:
        features = [nets["eyelid"](planes(crop))["features"] for crop in eyes.nominal(far)]
        irises = stacked([nets["iris"](one) for one in features])
        centre = measures.steadied_centre(decode(irises["heatmaps"]), irises["visibility"])
        figures |= {f"iris_far_{name}": value for name, value in measures.far_measures(far, centre).items()}
    return figures


def run(args: argparse.Namespace) -> int:
    """Prints the figures. Raises WrongUse, Error."""
    names = args.nets or ["face", "eyes"]
    if unknown := set(names) - {"face", "eyes"}:
        raise WrongUse(f"got {', '.join(sorted(unknown))}; expected face, eyes")
    if args.synthetic is None and "eyes" in names:
        raise WrongUse(
            "--synthetic is missing; expected a folder with validation*.npz of dmask train render-eyes: the "
            "eye nets are measured on them"
        )
    report: dict[str, object] = {
        "hardware": cpu_info()[0],
        "threads": 1,
        "precision": args.precision,
        "versions": {
            "python": platform.python_version(),
            "openvino": ov.__version__,
            "numpy": np.__version__,
        },
    }
    figures = {}
    try:
        if "face" in names:
            figures["face"] = face_figures(args.models / "face68.onnx", args.data, args.precision)
        if "eyes" in names:
            _, real = eye_tasks.real_eyes(args.data, args.work)
            held_out = eye_tasks.validation_eyes(real, args.synthetic)
            figures["eyes"] = eye_figures(
                args.models, held_out, args.precision, eye_tasks.far_eyes(args.synthetic)
            )
    except FileNotFoundError as error:
        raise Error(str(error)) from None
    for name, values in figures.items():
        report[name] = {k: round(float(v), 4) for k, v in values.items()}
    files = sorted(args.models.glob("*.onnx"))
    report["sha256"] = {file.name: sha256(file) for file in files}
    print(json.dumps(report, indent=2))
    if args.json:
        write_report(args.json, report)
    return 0
