"""The networks: HRNets with heat maps and visibility for points, a HED-like head for the semantic lines.

Every net takes RGB in 0..1 (N,3,H,W) and normalises inside, so that no caller can get it wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmask.crops import (
    EYE_HEIGHT_PX,
    EYE_WIDTH_PX,
    FACE_PX,
    FINDER_HEIGHT_PX,
    FINDER_WIDTH_PX,
    HEATMAP_STRIDE_PX,
    REGIONS_HEIGHT_PX,
    REGIONS_WIDTH_PX,
)

MEAN, STD = 0.45, 0.25
SEES_NO_EYE = -4.6  # logit that an untrained finder gives any place: 1 %


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


class HighResolutionTrunk(nn.Module):
    """HRNet (Wang et al.) down to its features at a quarter of the input's resolution (N,feature,H/4,W/4).

    Besides, what they were made from (N,widths[0],H/4,W/4): edges and tones, not yet what they are of.
    """

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], stem: int, feature: int) -> None:
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
        self.head = conv_bn(widths[0], feature, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        look = self.stage1(self.stem((image - MEAN) / STD))
        xs = [look]
        for grow, branches, exchange in zip(self.grow, self.branches, self.exchange, strict=True):
            xs = [*xs, grow(xs[-1])]
            xs = exchange([branch(x) for branch, x in zip(branches, xs, strict=True)])
        return self.head(xs[0]), look


class PointHead(nn.Module):
    """Features -> heat-map logits (N,points,h,w) and visibility logits (N,points).

    The visibility of a point is judged from the features under its own heat map, for occlusion is a local
    thing; with `glance` channels also from all of the picture, which tells what a cover is.
    On the CPU the core reads the evidence out of the file, by its name there, and weights it itself.
    """

    def __init__(self, feature: int, points: int, own: int = 0, glance: Glance | None = None) -> None:
        super().__init__()
        c = own or feature
        self.body = nn.Sequential(conv_bn(feature, c, 1), BasicBlock(c)) if own else nn.Identity()
        self.heatmaps = nn.Conv2d(c, points, 1)
        self.evidence = Evidence(c, points, 1)
        self.glance = glance

    def forward(self, features: Tensor, look: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self.body(features)
        whole = None if self.glance is None else self.glance(features, look)
        # The last convolutions stay in float32: logits in bfloat16 cost accuracy in the soft-argmax.
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            heatmaps = self.heatmaps(x)
            attention = heatmaps.detach().flatten(2).softmax(2)
            visibility = (attention * self.evidence(x, whole).flatten(2)).sum(2)
        return heatmaps, visibility


class Evidence(nn.Conv2d):
    """What speaks for and against a point's being seen (N,points,h,w), and what the `whole` picture says."""

    def forward(self, x: Tensor, whole: Tensor | None) -> Tensor:
        near = super().forward(x)
        return near if whole is None else near + whole.float()


class Glance(nn.Module):
    """Features and what they were made from -> one logit a point (N,points,1,1); 0 before training.

    It weighs each place of the picture by itself: a cover beside the pupil is none.
    """

    def __init__(self, channels: int, cells: tuple[int, int], points: int, c: int) -> None:
        super().__init__()
        steps = [conv_bn(channels, c, 3, 2), conv_bn(c, 2 * c, 3, 2), BasicBlock(2 * c)]
        self.body = nn.Sequential(*steps, conv_bn(2 * c, 2 * c, 3, 2))
        self.sum = nn.Conv2d(2 * c, points, (cells[0] // 8, cells[1] // 8))

    def forward(self, features: Tensor, look: Tensor) -> Tensor:
        return self.sum(self.body(torch.cat([features, look], 1)))


class FaceNet(nn.Module):
    """image -> heat maps, visibility."""

    def __init__(self, points: int, widths: tuple[int, ...], blocks: tuple[int, ...], stem: int) -> None:
        super().__init__()
        self.trunk = HighResolutionTrunk(widths, blocks, stem, 2 * widths[0])
        self.points = PointHead(2 * widths[0], points)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features, _ = self.trunk(image)
        return self.points(features)


class LineHead(nn.Module):
    """HED-like: a side output at every scale, each supervised, and their learnt fusion.

    The fusion has twice the features' resolution: its channels are spread over the 2x2
    edge cells of each feature cell (pixel shuffle).
    Returns edge logits (N,lines,2h,2w) and presence logits (N,lines); `sides` gives the side outputs too.
    """

    def __init__(self, feature: int, lines: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.own = nn.Sequential(conv_bn(feature, widths[0], 1), BasicBlock(widths[0]))
        self.down = nn.ModuleList(conv_bn(a, b, 3, 2) for a, b in zip(widths, widths[1:], strict=False))
        self.side = nn.ModuleList(nn.Conv2d(c, lines, 1) for c in widths)
        self.fuse = nn.Conv2d(widths[0] + lines * len(widths), lines * 4, 1)
        self.presence = nn.Linear(widths[-1], lines)

    def sides(self, features: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        levels = [self.own(features)]
        for down in self.down:
            levels.append(down(levels[-1]))
        with torch.autocast(features.device.type, enabled=False):
            presence = self.presence(levels[-1].float().mean((2, 3)))
            sides = []
            for k, (conv, level) in enumerate(zip(self.side, levels, strict=True)):
                side = conv(level.float())
                if k > 0:
                    side = F.interpolate(side, scale_factor=float(2**k), mode="nearest")
                sides.append(side)
            edges = F.pixel_shuffle(self.fuse(torch.cat([levels[0].float(), *sides], 1)), 2)
        return edges, presence, sides

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        edges, presence, _ = self.sides(features)
        return edges, presence


class EyelidNet(nn.Module):
    """image -> heat maps, visibility, and the features that the other two heads look at."""

    def __init__(self, points: int, widths: tuple[int, ...], blocks: tuple[int, ...], stem: int) -> None:
        super().__init__()
        self.trunk = HighResolutionTrunk(widths, blocks, stem, EYE_FEATURES)
        glance = Glance(EYE_FEATURES + widths[0], FEATURES_SHAPE[1:], points, 24)
        self.points = PointHead(EYE_FEATURES, points, glance=glance)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features, look = self.trunk(image)
        return *self.points(features, look), features


class RegionNet(nn.Module):
    """image -> logits (N,3,H,W) of the eyeball, of iris and pupil together, and of the pupil being seen.

    What the trunk understands is joined with what the picture shows at half its
    resolution, and edges are drawn at all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = HighResolutionTrunk((16, 32, 48, 64), (1, 1, 1, 1), 16, 32)
        self.edges = conv_bn(3, 16, 3, 2)
        self.up = nn.Sequential(conv_bn(32, 64, 1), nn.PixelShuffle(2))
        self.join = nn.Sequential(conv_bn(32, 24, 3), conv_bn(24, 24, 3))
        self.regions = nn.Conv2d(24, REGIONS.points, 1)
        self.finest = conv_bn(3, 12, 3)
        self.finer = nn.Sequential(conv_bn(24, 32, 1), nn.PixelShuffle(2))
        self.drawn = nn.Sequential(conv_bn(20, 12, 3), nn.Conv2d(12, REGIONS.points, 1))
        nn.init.zeros_(self.drawn[1].weight)
        nn.init.zeros_(self.drawn[1].bias)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        features, _ = self.trunk(image)
        tones = (image - MEAN) / STD
        x = self.join(torch.cat([self.up(features), self.edges(tones)], 1))
        fine = torch.cat([self.finer(x), self.finest(tones)], 1)
        with torch.autocast(x.device.type, enabled=False):
            coarse = F.interpolate(
                self.regions(x.float()), scale_factor=2, mode="bilinear", align_corners=False
            )
            return (coarse + self.drawn(fine.float()),)


class EyeFinder(nn.Module):
    """image -> maps (N,6,h,w), as dmask.train.nets.finder reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = HighResolutionTrunk((16, 24, 40, 64), (1, 1, 2, 2), 16, 32)
        self.head = conv_bn(32, 32, 3)
        self.maps = nn.Conv2d(32, FINDER.points, 1)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        features, _ = self.trunk(image)
        x = self.head(features)
        with torch.autocast(x.device.type, enabled=False):
            return (self.maps(x.float()),)


class EyeNet(nn.Module):
    """Eyelid, iris and lines of an eye: one trunk looks once, three heads read; trained together.

    Each of the three is a file of its own: `eyelid` takes the picture, `iris` and `lines` its features.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eyelid = EyelidNet(EYELID.points, (16, 32, 48, 64), (1, 1, 1, 1), stem=16)
        self.iris = PointHead(EYE_FEATURES, IRIS.points, own=16)
        self.lines = LineHead(EYE_FEATURES, LINES.points, (16, 32, 48))


@dataclass(frozen=True)
class NetSpec:
    """What a net is called, sees and answers; the ONNX signature follows from it."""

    name: str  # file stem of the ONNX file
    points: int  # landmarks, or lines for the line net
    input: str
    input_shape: tuple[int, int, int]  # channels, height, width
    outputs: tuple[str, ...]


EYE_FEATURES = 32
FEATURES_SHAPE = (EYE_FEATURES, EYE_HEIGHT_PX // HEATMAP_STRIDE_PX, EYE_WIDTH_PX // HEATMAP_STRIDE_PX)

FACE = NetSpec("face68", 68, "image", (3, FACE_PX, FACE_PX), ("heatmaps", "visibility"))
EYELID = NetSpec(
    "eyelid", 20, "image", (3, EYE_HEIGHT_PX, EYE_WIDTH_PX), ("heatmaps", "visibility", "features")
)
IRIS = NetSpec("iris", 19, "features", FEATURES_SHAPE, ("heatmaps", "visibility"))
LINES = NetSpec("lines", 4, "features", FEATURES_SHAPE, ("edges", "presence"))
FINDER = NetSpec("eye_finder", 6, "image", (3, FINDER_HEIGHT_PX, FINDER_WIDTH_PX), ("maps",))
REGIONS = NetSpec("regions", 3, "image", (3, REGIONS_HEIGHT_PX, REGIONS_WIDTH_PX), ("regions",))
SPECS = {"face": FACE, "eyelid": EYELID, "iris": IRIS, "lines": LINES, "finder": FINDER, "regions": REGIONS}


def build(what: str) -> nn.Module:
    """The untrained net of `face`, or of `eyes` (eyelid, iris and lines together), in channels_last.

    `wide-face` answers as `face`, at seven times the cost: it only teaches.
    """
    if what == "face":
        net: nn.Module = FaceNet(FACE.points, (32, 48, 64, 96), (1, 1, 1, 2), stem=16)
    elif what == "wide-face":
        net = FaceNet(FACE.points, (64, 96, 128, 192), (2, 2, 2, 3), stem=32)
    elif what == "eyes":
        net = EyeNet()
    elif what == "finder":
        net = EyeFinder()
    elif what == "regions":
        net = RegionNet()
    else:
        raise ValueError(f"no net is called {what!r}; expected face, wide-face, eyes, finder or regions")
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, Glance):
            nn.init.zeros_(module.sum.weight)
        if isinstance(module, EyeFinder):
            nn.init.constant_(module.maps.bias, 0.0)
            nn.init.normal_(module.maps.weight, std=0.01)
            module.maps.bias.data[0] = SEES_NO_EYE
    return net.to(memory_format=torch.channels_last)


def multiply_adds(net: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """Multiply-adds of the convolutions for one picture (or its features)."""
    total = 0

    def count(module: nn.Conv2d, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += output.shape[2] * output.shape[3] * module.weight.numel()

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, *input_shape))
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    return total
