"""Torch net -> ONNX file with float16 weights, checked in OpenVINO before it replaces anything."""

from __future__ import annotations

import copy
import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from dmask.environment import sha256
from dmask.train.nets.networks import EYELID, IRIS, LINES, EyeNet, NetSpec

OPSET = 17
TOLERANCE = 0.1  # of the largest logit, at least 0.3; float16 weights in OpenVINO against float32 in torch


def halve_weights(model: onnx.ModelProto, smallest: int = 64) -> onnx.ModelProto:
    """Stores large float32 constants as float16 followed by a Cast; runtimes fold the Cast when they load."""
    graph, casts = model.graph, []
    for constant in list(graph.initializer):
        if constant.data_type != TensorProto.FLOAT or np.prod(constant.dims) < smallest:
            continue
        values = numpy_helper.to_array(constant).astype(np.float16)
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(values, name + "_f16"))
        casts.append(
            helper.make_node("Cast", [name + "_f16"], [name], to=TensorProto.FLOAT, name=name + "_cast")
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def compile_f32(path: Path, threads: int = 1) -> ov.CompiledModel:
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(str(path), "CPU", settings)


def example_image(height_px: int, width_px: int) -> Tensor:
    """(2,3,H,W) smooth random pictures, 0..1."""
    blurred = torch.rand(2, 3, height_px // 8, width_px // 8)
    return F.interpolate(blurred, scale_factor=8, mode="bilinear", align_corners=False)


def write_onnx(net: nn.Module, spec: NetSpec, path: Path, example: Tensor | None = None) -> str:
    """Writes `path` (temporary name, then rename); returns its sha256.

    `example` (2, *spec.input_shape) is what torch and OpenVINO are compared on; pictures by default.
    Raises RuntimeError if they disagree.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.partial-{os.getpid()}.onnx")
    net = copy.deepcopy(net).cpu().eval()
    if example is None:
        example = example_image(*spec.input_shape[1:])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (example,),
            str(temporary),
            dynamo=False,
            opset_version=OPSET,
            input_names=[spec.input],
            output_names=list(spec.outputs),
            dynamic_axes={name: {0: "batch"} for name in (spec.input, *spec.outputs)},
        )
        expected = net(example)
    try:
        model = halve_weights(onnx.load(str(temporary)))
        onnx.checker.check_model(model)
        onnx.save(model, str(temporary))
        got = compile_f32(temporary)(example.numpy())
        for name, e in zip(spec.outputs, expected, strict=True):
            difference = float(np.abs(got[name] - e.numpy()).max())
            limit = TOLERANCE * max(3.0, float(e.abs().max()))
            if difference > limit:
                raise RuntimeError(
                    f"{path.name}: output {name} differs by {difference:.3g} between torch and OpenVINO, "
                    f"expected at most {limit:.3g}; not written"
                )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return sha256(path)


def write_eye_nets(net: EyeNet, folder: Path) -> None:
    """eyelid.onnx, iris.onnx and lines.onnx of one trunk; they belong together."""
    example = example_image(*EYELID.input_shape[1:])
    write_onnx(net.eyelid, EYELID, folder / "eyelid.onnx", example)
    with torch.no_grad():
        features = copy.deepcopy(net.eyelid).cpu().eval()(example)[2].contiguous()
    write_onnx(net.iris, IRIS, folder / "iris.onnx", features)
    write_onnx(net.lines, LINES, folder / "lines.onnx", features)
