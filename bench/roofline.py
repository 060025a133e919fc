"""What the GPU path of one frame costs at least, on paper: bytes and operations a kernel, and the limit that
a card's memory and arithmetic set. Nothing here is measured; no GPU is needed.

    python bench/roofline.py [--width 512 --height 512]
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from dmask.environment import MODELS_DIR
from dmask.io import container


class Card(NamedTuple):
    name: str
    tflops: float  # f32
    tensor_tflops: float  # f16
    gb_s: float
    pcie_gb_s: float  # of the 63, 32, 16 on paper, what copies reach


# Data sheets' figures.
CARDS = (
    Card("T4", 8.1, 65.0, 320, 12),
    Card("RTX 3060", 12.7, 51.0, 360, 24),
    Card("H100 PCIe", 51.0, 756.0, 2000, 50),
)
LAUNCH_US = 2.0  # of a node of a captured graph
# Shares of the pixels of a picture that a face fills, as in a slit-lamp or portrait frame.
COVERED, SUPERSAMPLED, GLOBES = 0.40, 0.08, 0.012


class Work(NamedTuple):
    name: str
    nodes: int  # of a captured graph
    read_mb: float
    written_mb: float
    mflop: float
    tensor: bool = False  # on tensor cores, f16
    copies_mb: float = 0  # over PCIe


def limit_us(work: Work, card: Card) -> float:
    """The larger of memory's, arithmetic's and PCIe's time, without launches, in microseconds."""
    flops = card.tensor_tflops if work.tensor else card.tflops
    memory_us = (work.read_mb + work.written_mb) / card.gb_s * 1e3
    return max(memory_us, work.mflop / flops, work.copies_mb / card.pcie_gb_s * 1e3)


def net_work(name: str, batch: int) -> Work:
    """Multiply-adds of a shipped net's convolutions and matrix products, and its weights in f16."""
    import openvino

    model = openvino.Core().read_model(MODELS_DIR / f"{name}.onnx")
    shape = model.inputs[0].partial_shape
    shape[0] = batch
    model.reshape({model.inputs[0].any_name: shape})
    macs = weights = 0
    for op in model.get_ops():
        if op.get_type_name() in ("Convolution", "GroupConvolution", "MatMul"):
            kernel = list(op.input(1).get_shape())
            per_output = np.prod(kernel[2:] if op.get_type_name() == "GroupConvolution" else kernel[1:])
            macs += int(np.prod(op.output(0).get_shape()) * per_output)
            weights += int(np.prod(kernel))
    inputs = sum(int(np.prod(port.get_shape())) for port in model.inputs)
    outputs = sum(int(np.prod(port.get_shape())) for port in model.outputs)
    return Work(f"net {name}", 30, (2 * weights + 4 * inputs) / 1e6, 4 * outputs / 1e6, 2 * macs / 1e6, True)


def frame_work(width: int, height: int) -> list[Work]:
    face = container.read(MODELS_DIR / "face.dmm")
    lids = container.read(MODELS_DIR / "eyelid.dmm")
    f, units = face["mean"].shape[0], face["unit_q"].shape[0]
    p, motions = lids["template"].shape[0], lids["motion"].shape[0]
    added = int((lids["face_vertex_os"] < 0).sum()) + int((lids["face_vertex_od"] < 0).sum())
    v, t = f + added, len(face["triangles"]) + 2 * len(lids["triangles"]) // 2
    n = width * height
    bins = -(-width // 128) * -(-height // 128)
    tiles = -(-width // 16) * -(-height // 16)
    in_bin = 3 * t * COVERED / bins + 60  # entries of a bin's list
    pairs = 2.5 * t  # of a tile and a triangle that touches it
    crop_px = 3 * 128 * 128 + 2 * 3 * 160 * 128
    mb = 1e-6
    return [
        Work("upload of the frame (BGR)", 1, 0, 3 * n * mb, 0, copies_mb=3 * n * mb),
        Work("thumbnail", 1, 0.016, 0.004, 0.02),
        Work("crops (face, both eyes)", 2, 4 * crop_px * mb, 4 * crop_px * mb, 30 * crop_px * mb),
        net_work("face68", 1),
        Work("heat maps, sharpness, light (face)", 3, (4 * 68 * 32 * 32 + 24 * 128 * 128) * mb, 0.001, 2.1),
        net_work("eyelid", 2),
        net_work("iris", 2),
        net_work("lines", 2),
        Work("heat maps, lines (eyes)", 3, 4 * 2 * (39 * 32 * 40 + 4 * 64 * 80) * mb, 0.004, 3.0),
        Work("landmarks to the CPU, fits there", 2, 0.005, 0, 0, copies_mb=0.005),
        Work(
            "pose",
            1,
            (12 * f * (1 + units) + 24 * p * (1 + motions)) * mb,
            28 * v * mb,
            (6 * f * units + 12 * p * motions + 30 * v) * mb,
        ),
        Work("skin: normals and shading", 1, (168 * t + 12 * v) * mb, 16 * v * mb, (90 * t + 120 * v) * mb),
        Work("triangles", 1, 96 * t * mb, 105 * t * mb, 60 * t * mb),
        Work("bins", 1, 9 * t * bins * mb, 12 * t * mb, 8 * t * bins * mb),
        Work("draw", 1, (12 * tiles * in_bin + 104 * pairs) * mb, 8 * n * mb, 256 * pairs * 12 * mb),
        Work(
            "samples (8 where edges are)",
            1,
            (8 * n + 12 * tiles * in_bin) * mb,
            (6 * n + 12 * GLOBES * n) * mb,
            (8 * SUPERSAMPLED * n * 20 * 12 + 480 * GLOBES * n) * mb,
        ),
        Work("resolve", 1, (4 + 14 * GLOBES) * n * mb, 3 * n * mb, 2000 * GLOBES * n * mb),
        Work("download of the mask (BGR)", 1, 3 * n * mb, 0, 0, copies_mb=3 * n * mb),
    ]


def table(width: int, height: int) -> str:
    rows = [["work", "nodes", "read MB", "written MB", "MFLOP", *(f"{card.name} µs" for card in CARDS)]]
    work = frame_work(width, height)
    for w in work:
        limits = [f"{limit_us(w, card):.1f}" for card in CARDS]
        amounts = [f"{w.read_mb:.2f}", f"{w.written_mb:.2f}", f"{w.mflop:.1f}"]
        rows.append([w.name, str(w.nodes), *amounts, *limits])
    nodes = sum(w.nodes for w in work)
    sums = [sum(limit_us(w, card) for w in work) for card in CARDS]
    rows.append(["sum of the limits", str(nodes), "", "", "", *(f"{total:.0f}" for total in sums)])
    with_launches = [f"{total + nodes * LAUNCH_US:.0f}" for total in sums]
    rows.append([f"with {LAUNCH_US:g} µs a node", "", "", "", "", *with_launches])
    rows.insert(1, ["---"] + ["---:"] * (len(rows[0]) - 1))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    args = parser.parse_args()
    print(table(args.width, args.height))


if __name__ == "__main__":
    main()
