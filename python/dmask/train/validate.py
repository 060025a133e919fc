"""Figures of the shipped ONNX files on the held-out people: `python -m dmask.train.validate`.

Everything runs through OpenVINO on one CPU thread, as in use. Nothing validated here was trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from . import eyes, faces, measures
from .cli import MODELS
from .networks import SPECS, NetSpec


def run_net(path: Path, images: NDArray[np.uint8], precision: str) -> tuple[dict[str, NDArray], float]:
    """All outputs of RGB uint8 pictures (N,H,W,3), one at a time, and the median ms of a picture."""
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    request = ov.Core().compile_model(str(path), "CPU", settings).create_infer_request()
    outputs: dict[str, list] = {}
    times = []
    for image in images:
        planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / 255
        start = time.perf_counter()
        result = request.infer([planes])
        times.append(time.perf_counter() - start)
        for port, value in result.items():
            outputs.setdefault(port.any_name, []).append(np.array(value[0]))
    return {name: np.stack(values) for name, values in outputs.items()}, 1e3 * float(np.median(times))


def decode(heatmaps: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,K,h,w) logits -> (N,K,2) crop pixels: expectation of the cell centres, (cell + 0.5) * 4 - 0.5."""
    p = np.exp(heatmaps - heatmaps.max((2, 3), keepdims=True)).astype(np.float64)
    p /= p.sum((2, 3), keepdims=True)
    x = (p.sum(2) * np.arange(p.shape[3])).sum(2)
    y = (p.sum(3) * np.arange(p.shape[2])).sum(2)
    return (np.stack([x, y], 2) + 0.5) * 4 - 0.5


def face_figures(path: Path, data: Path, precision: str) -> dict[str, float]:
    _, held_out = faces.split_human(data)
    crops, xy, _ = faces.validation_crops(held_out)
    out, ms = run_net(path, crops, precision)
    predicted = decode(out["heatmaps"])
    error = faces.normalised_error(predicted, xy)
    corners = np.linalg.norm(xy[:, 36] - xy[:, 45], axis=1)
    parts = {"jaw": range(17), "brows": range(17, 27), "nose": range(27, 36), "eyes": range(36, 48)}
    parts["mouth"] = range(48, 68)
    figures = {"faces": len(xy), "nme_pct": 100 * error.mean(), "nme_median_pct": 100 * np.median(error)}
    figures |= {"failures_8pct": int((error > 0.08).sum()), "failures_10pct": int((error > 0.10).sum())}
    for name, ids in parts.items():
        d = np.linalg.norm(predicted[:, list(ids)] - xy[:, list(ids)], axis=2)
        figures[f"{name}_pct"] = 100 * float((d.mean(1) / corners).mean())
    rng = np.random.default_rng(0)
    covered, labels = [], []
    for image, points in zip(crops, xy, strict=True):
        donor = crops[int(rng.integers(len(crops)))]
        image, hidden = faces.augment.occlude(image, points, rng, donor)
        covered.append(image)
        labels.append(hidden)
    out, _ = run_net(path, np.stack(covered), precision)
    hidden = np.stack(labels)
    figures["visibility_auc"] = measures.auc(out["visibility"][~hidden], out["visibility"][hidden])
    return figures | {"ms": ms}


def eye_figures(what: str, path: Path, held_out: eyes.Eyes, precision: str) -> dict[str, float]:
    if what == "lines":
        held_out = held_out.take(np.flatnonzero(~held_out.real))
    out, ms = run_net(path, eyes.nominal(held_out), precision)
    figures: dict[str, float] = {"real": int(held_out.real.sum()), "rendered": int((~held_out.real).sum())}
    if what == "lines":
        figures |= measures.line_measures(held_out, out["edges"], out["presence"])
    else:
        measure = measures.lid_measures if what == "eyelid" else measures.iris_measures
        figures |= measure(held_out, decode(out["heatmaps"]), out["visibility"])
    return figures | {"ms": ms}


def hardware() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dmask.train.validate", description=__doc__)
    parser.add_argument(
        "nets", nargs="*", default=[], help="face eyelid iris lines (default: all that exist)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("DMASK_SHARED", "../shared")) / "data"
    )
    parser.add_argument("--synthetic", type=Path, help="folder of rendered eyes with validation*.npz")
    parser.add_argument("--work", type=Path, default=Path("build/train"), help="where cut eyes are kept")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    args = parser.parse_args()
    names = args.nets or [name for name in SPECS if (args.models / f"{SPECS[name].name}.onnx").exists()]
    if unknown := set(names) - set(SPECS):
        parser.error(f"got {', '.join(sorted(unknown))}; expected some of {', '.join(SPECS)}")
    if args.synthetic is None and set(names) - {"face"}:
        parser.error(
            "the eye nets need --synthetic, a folder with validation*.npz of dmask.train.synthetic_eyes"
        )
    report: dict[str, object] = {
        "hardware": hardware(),
        "threads": 1,
        "precision": args.precision,
        "versions": {
            "python": platform.python_version(),
            "openvino": ov.__version__,
            "numpy": np.__version__,
        },
    }
    held_out = None
    for name in names:
        spec: NetSpec = SPECS[name]
        path = args.models / f"{spec.name}.onnx"
        if name == "face":
            figures = face_figures(path, args.data, args.precision)
        else:
            if held_out is None:
                from . import eye_tasks

                _, real = eye_tasks.real_eyes(args.data, args.work)
                held_out = eye_tasks.validation_eyes(real, args.synthetic)
            figures = eye_figures(name, path, held_out, args.precision)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        rounded = {k: round(float(v), 4) for k, v in figures.items()}
        report[spec.name] = {"sha256": sha256, "bytes": path.stat().st_size} | rounded
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
