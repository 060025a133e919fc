"""The four networks: HRNets with heat maps and a visibility head, and a HED-like net for the semantic lines.

Every net takes RGB in 0..1 (N,3,H,W) and normalises inside, so that no caller can get it wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN, STD = 0.45, 0.25


def conv_bn(c_in: int, c_out: int, size: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(c_in, c_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(c_out)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class BasicBlock(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn(c, c, 3), conv_bn(c, c, 3, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class Exchange(nn.Module):
    """Every resolution receives the sum of all of them; branch i runs at 1/2**i of the first one."""

    def __init__(self, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList()
        for i in range(outputs):
            row = nn.ModuleList()
            for j, c in enumerate(widths):
                if j == i:
                    row.append(nn.Identity())
                elif j > i:
                    up = nn.Upsample(scale_factor=2 ** (j - i), mode="nearest")
                    row.append(nn.Sequential(conv_bn(c, widths[i], 1, relu=False), up))
                else:
                    steps = [conv_bn(c, c, 3, 2) for _ in range(i - j - 1)]
                    row.append(nn.Sequential(*steps, conv_bn(c, widths[i], 3, 2, relu=False)))
            self.paths.append(row)

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        return [F.relu(sum(path(x) for path, x in zip(row, xs, strict=True))) for row in self.paths]


class HighResolutionNet(nn.Module):
    """HRNet (Wang et al.) at a quarter of the input's resolution, small enough for one CPU thread.

    Returns heat-map logits (N,points,H/4,W/4) and visibility logits (N,points). The visibility of a point is
    judged from the features under its own heat map: occlusion is a local thing.
    """

    def __init__(self, points: int, widths: tuple[int, ...], blocks: tuple[int, ...], stem: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, stem, 3, 2), conv_bn(stem, widths[0], 3, 2))
        self.stage1 = nn.Sequential(*[BasicBlock(widths[0]) for _ in range(blocks[0])])
        self.grow, self.branches, self.exchange = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for k in range(1, len(widths)):
            self.grow.append(conv_bn(widths[k - 1], widths[k], 3, 2))
            self.branches.append(
                nn.ModuleList(
                    nn.Sequential(*[BasicBlock(c) for _ in range(blocks[k])]) for c in widths[: k + 1]
                )
            )
            last = k == len(widths) - 1
            self.exchange.append(Exchange(widths[: k + 1], 1 if last else k + 1))
        feature = 2 * widths[0]
        self.head = conv_bn(widths[0], feature, 1)
        self.heatmaps = nn.Conv2d(feature, points, 1)
        self.visibility = nn.Parameter(torch.zeros(points, feature))
        self.visibility_bias = nn.Parameter(torch.zeros(points))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stage1(self.stem((image - MEAN) / STD))
        xs = [x]
        for grow, branches, exchange in zip(self.grow, self.branches, self.exchange, strict=True):
            xs = [*xs, grow(xs[-1])]
            xs = exchange([branch(x) for branch, x in zip(branches, xs, strict=True)])
        features = self.head(xs[0])
        # The last convolution stays in float32: logits in bfloat16 cost accuracy in the soft-argmax.
        with torch.autocast("cpu", enabled=False):
            features = features.float()
            heatmaps = self.heatmaps(features)
            attention = heatmaps.detach().flatten(2).softmax(2)
            pooled = attention @ features.flatten(2).transpose(1, 2)
            visibility = (pooled * self.visibility).sum(2) + self.visibility_bias
        return heatmaps, visibility


class LineNet(nn.Module):
    """HED-like: a side output at every scale, each supervised, and their learnt fusion at full resolution.

    All work is done at a quarter of the resolution and below; the fusion's channels are spread over the 4x4
    pixels of each cell (pixel shuffle), which costs a third of fusing at full resolution.
    Returns edge logits (N,lines,H,W) and presence logits (N,lines); `sides` gives the side outputs too.
    """

    def __init__(self, lines: int, widths: tuple[int, ...], blocks: tuple[int, ...], stem: int = 16) -> None:
        super().__init__()
        self.stem = conv_bn(3, stem, 3, 2)
        self.down = nn.ModuleList()
        c_in = stem
        for c, n in zip(widths, blocks, strict=True):
            self.down.append(nn.Sequential(conv_bn(c_in, c, 3, 2), *[BasicBlock(c) for _ in range(n)]))
            c_in = c
        # Top-down: coarse context reaches the fine scales before their side outputs are read.
        self.lateral = nn.ModuleList(conv_bn(b, a, 1) for a, b in zip(widths, widths[1:], strict=False))
        self.merge = nn.ModuleList(BasicBlock(c) for c in widths[:-1])
        self.side = nn.ModuleList(nn.Conv2d(c, lines, 1) for c in widths)
        self.fuse = nn.Conv2d(widths[0] + lines * len(widths), lines * 16, 1)
        self.presence = nn.Linear(widths[-1], lines)

    def sides(self, image: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        x = self.stem((image - MEAN) / STD)
        levels = []
        for down in self.down:
            x = down(x)
            levels.append(x)
        presence = self.presence(levels[-1].mean((2, 3)).float())
        for k in range(len(levels) - 2, -1, -1):
            up = F.interpolate(self.lateral[k](levels[k + 1]), scale_factor=2.0, mode="nearest")
            levels[k] = self.merge[k](levels[k] + up)
        with torch.autocast("cpu", enabled=False):
            sides = []
            for k, (conv, level) in enumerate(zip(self.side, levels, strict=True)):
                side = conv(level.float())
                if k > 0:
                    side = F.interpolate(side, scale_factor=float(2**k), mode="bilinear", align_corners=False)
                sides.append(side)
            edges = F.pixel_shuffle(self.fuse(torch.cat([levels[0].float(), *sides], 1)), 4)
        return edges, presence, sides

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        edges, presence, _ = self.sides(image)
        return edges, presence


@dataclass(frozen=True)
class NetSpec:
    """What a net is called, sees and answers; the ONNX signature follows from it."""

    name: str  # file stem of the ONNX file
    points: int  # landmarks, or lines for the line net
    height_px: int
    width_px: int
    outputs: tuple[str, str]


FACE = NetSpec("face68", 68, 128, 128, ("heatmaps", "visibility"))
EYELID = NetSpec("eyelid", 20, 128, 160, ("heatmaps", "visibility"))
IRIS = NetSpec("iris", 19, 128, 160, ("heatmaps", "visibility"))
LINES = NetSpec("lines", 4, 128, 160, ("edges", "presence"))
SPECS = {"face": FACE, "eyelid": EYELID, "iris": IRIS, "lines": LINES}


def build(what: str) -> nn.Module:
    """The untrained net of `face`, `eyelid`, `iris` or `lines`, in channels_last."""
    if what == "face":
        net: nn.Module = HighResolutionNet(FACE.points, (32, 48, 64, 96), (1, 1, 1, 2), stem=16)
    elif what in ("eyelid", "iris"):
        net = HighResolutionNet(SPECS[what].points, (16, 32, 48, 64), (1, 1, 1, 2), stem=16)
    elif what == "lines":
        net = LineNet(LINES.points, (16, 32, 48, 64), (1, 1, 2, 2))
    else:
        raise ValueError(f"no net is called {what!r}; expected one of {', '.join(SPECS)}")
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net.to(memory_format=torch.channels_last)


def multiply_adds(net: nn.Module, height_px: int, width_px: int) -> int:
    """Multiply-adds of the convolutions for one picture."""
    total = 0

    def count(module: nn.Conv2d, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += output.shape[2] * output.shape[3] * module.weight.numel()

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, height_px, width_px))
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    return total
