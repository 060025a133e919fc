"""An ONNX net on the CPU as on tensor cores: f16 values, products summed in f32, every result rounded to f16.

An inference engine may compute an f16 graph in f32 without saying so; here the graph's types are what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from dmask.errors import Error


class Conv(OpRun):
    """A Conv that sums in f32; the reference's own would sum in f16."""

    def _run(
        self,
        x: np.ndarray,
        w: np.ndarray,
        b: np.ndarray | None = None,
        auto_pad: str | None = None,
        dilations: Sequence[int] | None = None,
        group: int = 1,
        kernel_shape: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> tuple[np.ndarray]:
        top, left, bottom, right = pads or (0, 0, 0, 0)
        step_y, step_x = strides or (1, 1)
        if dilations and set(dilations) != {1}:
            raise Error(f"got a Conv with dilations {dilations}, expected 1; extend emulate.py")
        padded = np.pad(x.astype(np.float32), ((0, 0), (0, 0), (top, bottom), (left, right)))
        windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::step_y, ::step_x]
        filters = w.astype(np.float32)
        outs, ins = w.shape[0] // group, w.shape[1]
        if outs == ins == 1:
            y = np.einsum("nchwij,cij->nchw", windows, filters[:, 0])
        else:
            parts = [  # windows are (N, C, H, W, kernel height, width)
                np.tensordot(
                    windows[:, g * ins : (g + 1) * ins],
                    filters[g * outs : (g + 1) * outs],
                    axes=((1, 4, 5), (1, 2, 3)),
                )
                for g in range(group)
            ]
            y = np.concatenate(parts, axis=-1).transpose(0, 3, 1, 2)
        if b is not None:
            y = y + b.astype(np.float32)[:, None, None]
        return (np.ascontiguousarray(y).astype(x.dtype),)


class Resize(OpRun):
    """A Resize that enlarges by whole numbers; the reference's own takes minutes."""

    def _run(
        self,
        x: np.ndarray,
        roi: np.ndarray | None = None,
        scales: np.ndarray | None = None,
        sizes: np.ndarray | None = None,
        **kwargs: Any,
    ) -> tuple[np.ndarray]:
        if scales is None or kwargs.get("mode") != "nearest" or any(scale != int(scale) for scale in scales):
            raise Error(f"got a Resize by {scales}, expected nearest by whole numbers; extend emulate.py")
        return (x.repeat(int(scales[2]), axis=2).repeat(int(scales[3]), axis=3),)


def run(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of the net by name."""
    names = [output.name for output in model.graph.output]
    evaluator = ReferenceEvaluator(model, new_ops=[Conv, Resize])
    return dict(zip(names, evaluator.run(None, inputs), strict=True))
