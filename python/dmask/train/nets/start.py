"""Where training starts from: a checkpoint, or the ONNX files that ship.

Exporting folds each normalisation into the convolution before it. `load_onnx` puts the products back and lets
the normalisation add the bias: good for nets that stay in eval mode. `revive` gives the normalisations their
statistics back, without changing what the net answers, so that it can be trained like any other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from dmask.errors import Error
from dmask.train.nets.networks import BasicBlock, EyeNet

EYE_FILES = ("eyelid", "iris", "lines")
REVIVING_BATCHES = 12


@torch.no_grad()
def load_onnx(net: nn.Module, path: Path) -> nn.Module:
    """Puts the weights of an exported net back into `net`, in eval mode, and returns it.

    The convolution keeps the product and the normalisation becomes the addition of its bias. Node names carry
    the modules' paths. Raises Error where the file belongs to another net.
    """
    modules = dict(net.named_modules())
    graph = onnx.load(str(path)).graph
    constants = read_constants(graph)
    missing = {name for name, module in modules.items() if isinstance(module, nn.Conv2d | nn.Linear)}
    weights = {module_path(n.name): n.input[1:3] for n in graph.node if n.op_type in ("Conv", "Gemm")}
    for name, inputs in weights.items():
        weight, bias = (torch.tensor(constants[i], dtype=torch.float32) for i in inputs)
        layer = modules.get(name)
        if name not in missing or layer.weight.numel() != weight.numel():
            raise Error(f"{path}: {name} does not fit; expected a {path.stem} net of this version of dmask")
        missing.remove(name)
        layer.weight.copy_(weight.view_as(layer.weight))
        if layer.bias is not None:
            layer.bias.copy_(bias)
            continue
        parent, _, index = name.rpartition(".")
        norm = modules[f"{parent}.{int(index) + 1}"]
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
        norm.running_mean.fill_(0)
        norm.running_var.fill_(1 - norm.eps)
    if missing:
        raise Error(f"{path} lacks {sorted(missing)[0]}; expected a {path.stem} net of this version of dmask")
    return net.eval()


def load_eyes(net: EyeNet, path: Path) -> EyeNet:
    """eyelid.onnx, iris.onnx and lines.onnx of the folder of `path` into one net; they belong together."""
    for name in EYE_FILES:
        load_onnx(getattr(net, name), path.with_name(f"{name}.onnx"))
    return net.eval()


def read_constants(graph: onnx.GraphProto) -> dict[str, NDArray]:
    """The graph's constants by every name they go by, after a Cast from float16 too."""
    constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    return constants


def module_path(node_name: str) -> str:
    """`/stem/stem.0/stem.0.1/Conv` -> `stem.0.1`: a container's children repeat its name."""
    path: list[str] = []
    last = ""
    for scope in node_name.split("/")[1:-1]:
        if last and scope.startswith(f"{last}."):
            path.pop()
        path.append(scope)
        last = scope
    return ".".join(path)


@torch.no_grad()
def widen(narrow: nn.Module, wide: nn.Module, noise: float = 0.2) -> None:
    """Gives a net of the same plan, wider by whole factors and deeper, the answers of a trained narrow one.

    Each channel is there several times over and each convolution takes their mean; blocks that the narrow net
    has not add nothing. noise: of a convolution's own spread, so that equal channels part in training.
    """
    trained = dict(narrow.named_modules())
    for name, module in wide.named_modules():
        source = trained.get(name)
        if isinstance(module, nn.Conv2d) and source is not None:
            copies = [a // b for a, b in zip(module.weight.shape[:2], source.weight.shape[:2], strict=True)]
            weight = source.weight.repeat(*copies, 1, 1) / copies[1]
            module.weight.copy_(weight + noise * weight.std() * torch.randn_like(weight))
            if module.bias is not None:
                module.bias.copy_(source.bias.repeat(copies[0]))
        elif isinstance(module, nn.BatchNorm2d) and source is not None:
            copies = [module.num_features // source.num_features]
            for of_wide, of_narrow in zip(state_of(module), state_of(source), strict=True):
                of_wide.copy_(of_narrow.repeat(*copies))
        elif isinstance(module, BasicBlock) and source is None:
            nn.init.zeros_(module.body[1][1].weight)


def state_of(norm: nn.BatchNorm2d) -> tuple[Tensor, ...]:
    return norm.weight, norm.bias, norm.running_mean, norm.running_var


def look(net: nn.Module, images: Tensor) -> None:
    """Shows a batch to all of a net, the eyes' heads included."""
    if isinstance(net, EyeNet):
        features = net.eyelid(images)[2]
        net.iris(features)
        net.lines(features)
    else:
        net(images)


@torch.no_grad()
def keep(net: nn.Module, before: nn.Module, share: float, images: Iterable[Tensor]) -> nn.Module:
    """A net with `share` of the weights of `before`, from which `net` was trained; statistics are taken anew.

    Between two nets of one basin the mean errs less than either on what the older one was good at.
    """
    mean = copy.deepcopy(net)
    for a, b in zip(mean.state_dict().values(), before.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(b, share)
    for module in mean.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over the batches
            module.train()
    for batch in images:
        look(mean, batch)
    return mean.eval()


@torch.no_grad()
def revive(net: nn.Module, images: Iterable[Tensor]) -> None:
    """Gives every normalisation of a net that came from ONNX the mean and variance of what it meets.

    In eval mode the net answers as before; in train mode nearly so, where it would have fallen apart.
    images: batches (N,3,H,W) as in training.
    """
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def measure(module: nn.BatchNorm2d, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        x = inputs[0].double()
        sums.setdefault(module, []).append(torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))]))

    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [module.register_forward_hook(measure) for module in norms]
    net.eval()
    for batch in images:
        look(net, batch)
    for hook in hooks:
        hook.remove()
    for module, parts in sums.items():
        mean, square = torch.stack(parts).mean(0)
        variance = (square - mean * mean).clamp(min=1e-8)
        scale = module.weight.double() / (module.running_var.double() + module.eps).sqrt()
        module.bias.copy_(module.bias.double() + scale * (mean - module.running_mean.double()))
        module.weight.copy_(scale * (variance + module.eps).sqrt())
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
