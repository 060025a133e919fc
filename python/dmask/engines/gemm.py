"""A small Gemm as products and a sum: TensorRT for RTX has no f32 Gemm for Turing."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dmask.errors import Error


def without_gemm(model: onnx.ModelProto) -> onnx.ModelProto:
    """A new model that computes the same: a (N, C) times b (K, C), transposed, plus c (K).

    Raises Error for a Gemm of another kind.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    nodes = []
    for node in result.graph.node:
        if node.op_type != "Gemm":
            nodes.append(node)
            continue
        options = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
        options |= {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if options != {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1} or len(node.input) != 3:
            raise Error(f"{node.name}: got a Gemm with {options}, expected a b' + c; extend gemm.py")
        a, b, c = node.input
        axes = {axis: f"{node.name}_axis_{axis}" for axis in (1, 2)}
        for axis, name in axes.items():
            result.graph.initializer.append(numpy_helper.from_array(np.array([axis], np.int64), name))
        row, product, total = (f"{node.name}_{step}" for step in ("row", "product", "sum"))
        nodes += [
            helper.make_node("Unsqueeze", [a, axes[1]], [row], name=row),  # (N, 1, C)
            helper.make_node("Mul", [row, b], [product], name=product),  # (N, K, C)
            helper.make_node("ReduceSum", [product, axes[2]], [total], name=total, keepdims=0),
            helper.make_node("Add", [total, c], list(node.output), name=node.name),
        ]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del result.graph.node[:]
    result.graph.node.extend(nodes)
    onnx.checker.check_model(result, full_check=True)
    return result
