"""The net that finds eyes where no face is in sight: a map of centres, and at each the canthi and the side.

As CenterNet (Zhou et al. 2019): an eye is the peak of a map; what is at the peak tells where its ends are.
Maps (N,6,h,w): logit of an eye's centre; the canthus left in the picture and the right one, from the cell, in
widths of the view; logit of the inner canthus being the right one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dmask.crops import FINDER_WIDTH_PX, HEATMAP_STRIDE_PX

CENTRE, LEFT, RIGHT, SIDE = 0, slice(1, 3), slice(3, 5), 5  # channels


def finder_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Focal loss of the centres, L1 of the canthi in shares of the eye, entropy of the side."""
    (maps,) = net(batch["image"])
    peak, weight = batch["peak"], batch["weight"]
    logit = maps[:, CENTRE]
    chance = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    at = (peak > 0.999).float()
    near = at * (1 - chance) ** 2 * torch.log(chance)
    far = (1 - at) * (1 - peak) ** 4 * chance**2 * torch.log(1 - chance)
    count = at.sum().clamp(min=1)
    centres = -((near + far) * weight).sum() / count
    inside = batch["inside"]
    total = inside.sum().clamp(min=1)
    off = (maps[:, 1:5] - batch["canthi"]).abs().sum(1) / batch["width"].clamp(min=1e-3)
    side = F.binary_cross_entropy_with_logits(maps[:, SIDE], batch["inner_right"], reduction="none")
    known = inside * batch["side_known"]
    return centres + 4 * (off * inside).sum() / total + 0.5 * (side * known).sum() / known.sum().clamp(min=1)


class FoundEye(NamedTuple):
    score: float
    canthi: NDArray[np.float64]  # (2,2) px of the view: left and right in the picture
    inner_right: float  # 0..1


def found_eyes(maps: NDArray[np.float32], least: float, most: int = 4) -> list[FoundEye]:
    """Of one view's maps (6,h,w), best first; of eyes that overlap the better one."""
    logit = maps[CENTRE].astype(np.float64)
    padded = np.pad(logit, 1, constant_values=-np.inf)
    h, w = logit.shape
    around = np.max([padded[j : j + h, i : i + w] for j in range(3) for i in range(3)], axis=0)
    score = 1 / (1 + np.exp(-logit))
    rows, columns = np.nonzero((logit == around) & (score >= least))
    found: list[FoundEye] = []
    for k in np.argsort(-score[rows, columns]):
        j, i = int(rows[k]), int(columns[k])
        cell = (np.array([i, j]) + 0.5) * HEATMAP_STRIDE_PX - 0.5
        canthi = np.stack([cell + FINDER_WIDTH_PX * maps[part, j, i] for part in (LEFT, RIGHT)])
        eye = FoundEye(float(score[j, i]), canthi, float(1 / (1 + np.exp(-maps[SIDE, j, i]))))
        if all(apart(eye, other) for other in found):
            found.append(eye)
        if len(found) == most:
            break
    return found


def apart(a: FoundEye, b: FoundEye) -> bool:
    """Whether two are different eyes, by their centres."""
    width = max(float(np.linalg.norm(eye.canthi[1] - eye.canthi[0])) for eye in (a, b))
    return float(np.linalg.norm(a.canthi.mean(0) - b.canthi.mean(0))) > 0.6 * width
