"""An f32 net as an f16 net: TensorRT 11 and TensorRT for RTX take the precision from the ONNX file's types.

Inputs and outputs stay f32, and so do the normalisation in front and whatever the net itself computes in f32:
heads and soft-argmax, which the exporter marked with a Cast to f32. TensorRT fuses the casts.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALVED = {"Conv", "Relu", "Add", "Resize", "MaxPool"}  # what f16 is faster for
ACTIVATIONS = {"Conv": (0, 1, 2), "Resize": (0,)}  # inputs that are values; default: all


def to_f16(model: onnx.ModelProto) -> onnx.ModelProto:
    """A new model with the same signature."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {constant.name: constant for constant in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in constants]
    # Weights that are kept as f16 already.
    stored: dict[str, str] = {node.output[0]: node.input[0] for node in casts}
    outputs = {output.name for output in graph.output}
    half: set[str] = set()  # tensors that are f16 now
    renamed: dict[str, str] = {}  # outputs of the net whose f16 twin goes on inside
    single: set[str] = set()  # tensors after a Cast to f32, which stay so
    copies: dict[tuple[str, int], str] = {}
    nodes: list[onnx.NodeProto] = []

    def cast(name: str, to: int) -> str:
        if (name, to) not in copies:
            copies[name, to] = f"{name}_as_{'f16' if to == TensorProto.FLOAT16 else 'f32'}"
            nodes.append(helper.make_node("Cast", [name], [copies[name, to]], to=to, name=copies[name, to]))
        return copies[name, to]

    def as_half(name: str) -> str:
        name = renamed.get(name, name)
        if name in half:
            return name
        if name in stored:
            return stored[name]
        if name in constants:
            values = numpy_helper.to_array(constants[name]).astype(np.float16)
            copy = numpy_helper.from_array(values, f"{name}_f16")
            graph.initializer.append(copy)
            constants[copy.name] = copy
            stored[name] = copy.name
            return stored[name]
        return cast(name, TensorProto.FLOAT16)

    for node in graph.node:
        after_cast = node.op_type == "Cast" and node.input[0] not in constants
        if after_cast or any(name in single for name in node.input):
            single.update(node.output)
        if node.op_type in HALVED and not any(name in single for name in node.input):
            for i in ACTIVATIONS.get(node.op_type, range(len(node.input))):
                if i < len(node.input) and node.input[i]:
                    node.input[i] = as_half(node.input[i])
            nodes.append(node)
            name = node.output[0]
            if name in outputs:
                node.output[0] = f"{name}_f16"
                nodes.append(helper.make_node("Cast", [f"{name}_f16"], [name], to=TensorProto.FLOAT))
                copies[f"{name}_f16", TensorProto.FLOAT] = name
                renamed[name] = f"{name}_f16"
            half.add(node.output[0])
            continue
        for i, name in enumerate(node.input):
            if name in half and node.op_type not in ("Cast", "Shape"):
                node.input[i] = cast(name, TensorProto.FLOAT)
        nodes.append(node)

    del graph.value_info[:]
    _keep(graph, nodes)
    onnx.checker.check_model(result, full_check=True)
    return result


def _keep(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Makes these the graph's nodes, without those and the constants that nothing reads any more."""
    kept: list[onnx.NodeProto] = []
    read = {output.name for output in graph.output}
    for node in reversed(nodes):
        if any(name in read for name in node.output):
            read.update(node.input)
            kept.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(kept)]
    constants = [constant for constant in graph.initializer if constant.name in read]
    constants = [onnx.TensorProto.FromString(constant.SerializeToString()) for constant in constants]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
