"""Heat maps: decoding by expectation over the whole map, and the loss that trains exactly this decoding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dmask.crops import HEATMAP_STRIDE_PX

SIGMA_CELLS = 1.2
WING_CELLS = 0.3  # below it the wing-like loss is steep: the last tenths of a pixel still pay


def to_cells(xy_px: Tensor) -> Tensor:
    """Pixel centres are integers in both frames: crop px = (cell + 0.5) * 4 - 0.5."""
    return (xy_px + 0.5) / HEATMAP_STRIDE_PX - 0.5


def to_px(xy_cells: Tensor) -> Tensor:
    return (xy_cells + 0.5) * HEATMAP_STRIDE_PX - 0.5


def expectation(heatmaps: Tensor) -> Tensor:
    """(N,K,h,w) logits -> (N,K,2) expected cell (x, y)."""
    return centre_of(softmax_map(heatmaps))


def softmax_map(heatmaps: Tensor) -> Tensor:
    return heatmaps.flatten(2).softmax(2).view_as(heatmaps)


def centre_of(p: Tensor) -> Tensor:
    """(N,K,h,w) probabilities -> (N,K,2) expected cell (x, y)."""
    h, w = p.shape[2:]
    x = (p.sum(2) * torch.arange(w, dtype=p.dtype, device=p.device)).sum(2)
    y = (p.sum(3) * torch.arange(h, dtype=p.dtype, device=p.device)).sum(2)
    return torch.stack([x, y], 2)


def decode(heatmaps: Tensor) -> Tensor:
    """(N,K,h,w) logits -> (N,K,2) pixels of the crop."""
    return to_px(expectation(heatmaps))


def gaussian(centre_cells: Tensor, cells: int) -> Tensor:
    """(N,K) centres -> (N,K,cells) normalised Gaussians along one axis."""
    d = torch.arange(cells, dtype=torch.float32, device=centre_cells.device) - centre_cells[..., None]
    return (-0.5 * (d / SIGMA_CELLS) ** 2).softmax(-1)


def point_loss(heatmaps: Tensor, xy_px: Tensor) -> Tensor:
    """(N,K) loss a point: cross-entropy to a Gaussian + 2 x a wing-like loss on the decoded position."""
    target = to_cells(xy_px)
    n, k, h, w = heatmaps.shape
    log_p = heatmaps.flatten(2).log_softmax(2).view(n, k, h, w)
    g_x, g_y = gaussian(target[..., 0], w), gaussian(target[..., 1], h)
    cross_entropy = -torch.einsum("nkhw,nkh,nkw->nk", log_p, g_y, g_x)
    distance = (expectation(heatmaps) - target).abs()
    return cross_entropy + 2 * torch.log1p(distance / WING_CELLS).sum(2)


def taught_loss(heatmaps: Tensor, taught: Tensor) -> Tensor:
    """(N,K) `point_loss` with another net's map (N,K,h,w), probabilities, in the Gaussian's place."""
    log_p = heatmaps.flatten(2).log_softmax(2)
    cross_entropy = -(log_p * taught.flatten(2)).sum(2)
    distance = (expectation(heatmaps) - centre_of(taught)).abs()
    return cross_entropy + 2 * torch.log1p(distance / WING_CELLS).sum(2)


def inside(xy_px: Tensor, height_px: int, width_px: int) -> Tensor:
    """(N,K) whether a point lies in the crop; points outside are not trained, a map cannot show them."""
    x, y = xy_px[..., 0], xy_px[..., 1]
    return (x >= -0.5) & (y >= -0.5) & (x <= width_px - 0.5) & (y <= height_px - 0.5)


def landmark_loss(
    heatmaps: Tensor, visibility: Tensor, xy_px: Tensor, weight: Tensor, visible: Tensor, known: Tensor
) -> Tensor:
    """Weighted mean of `point_loss` + cross-entropy of the visibility.

    xy_px (N,K,2) crop pixels; weight (N,K) of each position; visible (N,K) 0..1; known (N,K) its weight.
    """
    height, width = heatmaps.shape[2] * HEATMAP_STRIDE_PX, heatmaps.shape[3] * HEATMAP_STRIDE_PX
    weight = weight * inside(xy_px, height, width)
    position = (point_loss(heatmaps, xy_px) * weight).sum() / weight.sum().clamp(min=1)
    seen = F.binary_cross_entropy_with_logits(visibility, visible, known, reduction="sum")
    return position + seen / known.sum().clamp(min=1)
