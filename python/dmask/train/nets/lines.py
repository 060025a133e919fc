"""Semantic lines: the loss of the edge maps, and how a line is read from one."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dmask.crops import EDGE_STRIDE_PX
from dmask.measure.curves import distance_to_polyline
from dmask.train.nets.networks import LineHead

POSITIVE_WEIGHT = 6.0  # an edge covers about 5 % of the cells
ABSENT_WEIGHT = 2.5  # a third as many folds are absent as present
LEAST_PEAK = 0.2
WINDOW_CELLS = 2  # rows around the peak whose centre of mass is the line


def edge_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Class-balanced cross-entropy of edge maps (N,L,H,W); weight (N,L), target 0..1."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    loss = (loss * (1 + (POSITIVE_WEIGHT - 1) * target)).mean((2, 3))
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def lines_loss(net: LineHead, features: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Fusion, every side output at the features' resolution (deep supervision), and the presence."""
    edges, presence, sides = net.sides(features)
    target, weight = batch["edges"].float() / 255, batch["edge_weight"]
    small = F.max_pool2d(target, 2)
    there = batch["line_present"]
    known = batch["line_known"] * (1 + (ABSENT_WEIGHT - 1) * (1 - there))
    seen = F.binary_cross_entropy_with_logits(presence, there, known, reduction="sum")
    deep = sum(edge_loss(side, small, weight) for side in sides)
    return 16 * edge_loss(edges, target, weight) + 3 * deep + 0.3 * seen / known.sum().clamp(min=1)


def read_line(logits: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(h,w) edge logits -> (M,2) points in crop px, one a column where the edge is seen, and peaks (M)."""
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    peak_row = p.argmax(0)
    columns = np.arange(p.shape[1])
    peak = p[peak_row, columns]
    rows = np.arange(p.shape[0])[:, None]
    mass = np.where(np.abs(rows - peak_row) <= WINDOW_CELLS, p**2, 0)
    y = (mass * rows).sum(0) / np.maximum(mass.sum(0), 1e-12)
    keep = peak >= LEAST_PEAK
    return (np.column_stack([columns[keep], y[keep]]) + 0.5) * EDGE_STRIDE_PX - 0.5, peak[keep]


def line_distance(predicted: NDArray, truth: NDArray) -> float:
    """Mean distance in px of the true points (20,2), and of the predicted, to the other polyline."""
    if len(predicted) < 2:
        return float("nan")
    inside = predicted[(predicted[:, 0] >= truth[:, 0].min()) & (predicted[:, 0] <= truth[:, 0].max())]
    there = distance_to_polyline(truth, predicted).mean()
    back = distance_to_polyline(inside, truth).mean() if len(inside) else there
    return float(0.5 * (there + back))
