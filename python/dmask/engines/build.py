"""`dmask engines build`: ONNX -> TensorRT engines of every shipped net, kept in a cache folder.

Uses `tensorrt` where it is installed, which builds on the GPU for that GPU, and otherwise `tensorrt_rtx`,
whose engines are portable and need no GPU to be built.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from dmask import _core
from dmask.engines import gemm, half, half_check, manifest, names
from dmask.errors import Error
from dmask.io.atomic import atomic_file
from dmask.io.report import write_report
from dmask.stopwatch import stopwatch

FLAVOURS = ("tensorrt", "tensorrt_rtx")


@dataclass
class Built:
    """A line of the build log."""

    net: str
    precision: str
    file: str  # name in the cache; empty with --check-only
    cached: bool
    seconds: float
    megabytes: float
    layers: int  # of the network, before fusion; 0 from the cache
    moved_px: float | None  # largest change of a landmark against f32; None where it was not measured

    def line(self) -> str:
        text = f"{self.net:<32}{self.precision}  "
        if self.cached:
            return f"{text}from the cache, {self.megabytes:.2f} MB: {self.file}"
        text += f"{self.seconds:6.1f} s {self.megabytes:7.2f} MB {self.layers:4d} layers"
        return text + (
            f"  moves points by {self.moved_px:.3f} px at most" if self.moved_px is not None else ""
        )


class Builder:
    """One flavour of TensorRT, building for one GPU or, with TensorRT for RTX, for all."""

    def __init__(self, target: str | None = None):
        self.flavour, self.trt = import_tensorrt()
        self.version = self.trt.__version__
        self.gpu = target or self._target_here()
        if self.flavour == "tensorrt" and target:
            raise Error(f"got --target {target}, but tensorrt builds for this machine's GPU; leave it out")
        self.messages: list[str] = []
        self.logger = _logger(self.trt, self.messages)

    def _target_here(self) -> str:
        gpu = names.this_gpu()
        if gpu is None and self.flavour == "tensorrt":
            raise Error(
                "got no NVIDIA GPU, which tensorrt builds on; run this on the machine that will use the "
                "engines, or pip install tensorrt-rtx, which builds portable ones anywhere"
            )
        return names.PORTABLE if gpu is None else names.gpu_part(self.flavour, *gpu)

    def problem_here(self) -> str:
        """Why this machine's GPU cannot run what is built; empty where it may, or where there is none."""
        gpu = names.this_gpu()
        return "" if gpu is None else _core.card_problem(self.flavour, *gpu)

    def key(self, net: manifest.Net, precision: str) -> names.EngineKey:
        model = Path(net.file).stem
        return names.EngineKey(model, net.sha256, precision, self.flavour, self.version, self.gpu)

    def parse(self, model: onnx.ModelProto, label: str) -> tuple[Any, Any, Any]:
        """Builder, network and parser; the network lives as long as its parser, which is kept beside it."""
        trt = self.trt
        self.messages.clear()
        builder = trt.Builder(self.logger)
        flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        network = builder.create_network(0 if flag is None else 1 << int(flag))
        parser = trt.OnnxParser(network, self.logger)
        if not parser.parse(model.SerializeToString()):
            raise Error(f"{label}: {self._parse_failures(parser, model)}")
        return builder, network, parser

    def _parse_failures(self, parser: Any, model: onnx.ModelProto) -> str:
        failures = []
        for i in range(parser.num_errors):
            error = parser.get_error(i)
            node = model.graph.node[error.node()] if 0 <= error.node() < len(model.graph.node) else None
            where = (
                "the graph"
                if node is None
                else (f"node '{node.name}', operator {node.op_type}, tensor '{next(iter(node.output), '')}'")
            )
            failures.append(f"{where} ({error.func()}: {error.desc()})")
        return (
            f"{self.flavour} {self.version} cannot parse {'; '.join(failures) or 'it'}; export the net with "
            "operators that TensorRT knows"
        )

    def build(self, net: manifest.Net, model: onnx.ModelProto, label: str) -> tuple[bytes, int]:
        """The serialised engine and the number of layers. Raises Error naming what cannot be parsed."""
        turing = self.gpu == names.TURING and self.flavour == "tensorrt_rtx"
        builder, network, parser = self.parse(gemm.without_gemm(model) if turing else model, label)
        shapes = [net.input[size] for size in ("min", "opt", "max")]
        image = network.get_input(0)
        image.shape = [a if a == b else -1 for a, b in zip(shapes[0], shapes[2], strict=True)]
        config = builder.create_builder_config()
        config.clear_flag(self.trt.BuilderFlag.TF32)  # f32 means f32
        if turing:
            config.num_compute_capabilities = 1
            config.set_compute_capability(self.trt.ComputeCapability.SM75, 0)
        profile = builder.create_optimization_profile()
        profile.set_shape(net.input["name"], *shapes)
        config.add_optimization_profile(profile)
        engine = builder.build_serialized_network(network, config)
        if engine is None:
            raise Error(
                f"{label}: {self.flavour} {self.version} could not build an engine: "
                f"{'; '.join(self.messages[-3:]) or 'no reason given'}; try another precision or version"
            )
        layers = network.num_layers
        del parser
        return bytes(engine), layers


def import_tensorrt() -> tuple[str, Any]:
    for name in FLAVOURS:
        try:
            return name, importlib.import_module(name)
        except ImportError:
            continue
    raise Error("got neither tensorrt nor tensorrt_rtx; in a checkout of dmask: pip install '.[tensorrt]'")


def _logger(trt: Any, messages: list[str]) -> Any:
    """A logger for TensorRT that keeps its errors in `messages`."""

    def log(self: Any, severity: Any, message: str) -> None:
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            messages.append(message)

    def __init__(self: Any) -> None:
        trt.ILogger.__init__(self)

    # Which class is derived from is known only when one of the two TensorRTs is imported.
    return type("Logger", (trt.ILogger,), {"__init__": __init__, "log": log})()


def build_one(
    builder: Builder,
    net: manifest.Net,
    precision: str,
    cache: Path | None,
    check: half_check.Check,
    models_dir: Path,
) -> Built:
    """Builds, unless the cache has it; with `cache` None nothing is written."""
    name = builder.key(net, precision).file_name
    if cache is not None and (cache / name).is_file():
        return Built(net.label, precision, name, True, 0.0, (cache / name).stat().st_size / 1e6, 0, None)
    model = manifest.load_onnx(net, models_dir)
    moved_px = None
    if precision == "f16":
        halved = half.to_f16(model)
        moved_px = check.moved_px(net, model, halved)
        most_px = half_check.MOST_PX
        if not moved_px <= most_px:
            raise Error(
                f"{net.label}: f16 moves a point by {moved_px:.2f} px, expected at most {most_px}; use f32"
            )
        model = halved
    elapsed_ms = stopwatch()
    engine, layers = builder.build(net, model, f"{net.file} ({precision})")
    seconds = 1e-3 * elapsed_ms()
    if cache is not None:
        with atomic_file(cache / name, overwrite=True) as partial:
            partial.write_bytes(engine)
    else:
        name = ""
    return Built(net.label, precision, name, False, seconds, len(engine) / 1e6, layers, moved_px)


def run(args: argparse.Namespace) -> int:
    """Builds what the cache does not hold yet. Raises Error."""
    if args.write_manifest:
        changed = manifest.write_hashes(models_dir=args.models)
        print(f"manifest.toml: {', '.join(changed) or 'nothing'} changed")
        return 0
    builder = Builder(args.target)
    cache = None if args.check_only else args.cache
    print(f"{builder.flavour} {builder.version}, for {builder.gpu}, into {cache or 'no folder'}")
    if args.target is None and (problem := builder.problem_here()):
        print(f"warning: {problem}; these engines are for other machines", file=sys.stderr, flush=True)
    precisions = names.PRECISIONS if args.precision == "all" else (args.precision,)
    check, log = half_check.Check(args.models), []
    for net in manifest.chosen(args.weights):
        for precision in precisions:
            log.append(build_one(builder, net, precision, cache, check, args.models))
            print(log[-1].line(), flush=True)
    if args.json:
        told = {"flavour": builder.flavour, "version": builder.version, "target": builder.gpu}
        write_report(args.json, told | {"engines": [asdict(built) for built in log]})
    return 0
