"""Pictures of nothing."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.arrays import Pixels


def nothing(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Gradients, blots, stripes, discs and rings: what an eye may be mistaken for."""
    h, w = height, width
    cells = int(np.exp(rng.uniform(np.log(2), np.log(40))))
    coarse = rng.integers(0, 256, (cells, max(2, cells * 3 // 2), 3)).astype(np.uint8)
    if rng.random() < 0.5:  # skin, wood, paper: one hue
        coarse = (coarse[..., :1] * rng.uniform(0.2, 1, 3)).astype(np.uint8)
    way = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    soft = np.asarray(cv2.resize(coarse, (w, h), interpolation=way), np.uint8)
    flat = np.full_like(soft, rng.integers(256))
    image = np.asarray(cv2.addWeighted(soft, float(rng.uniform(0.1, 1)), flat, 0.5, 0), np.uint8)
    for _ in range(int(rng.integers(0, 7))):
        at = rng.integers([0, 0], [w, h]).tolist()
        size = np.exp(rng.uniform(np.log(2), np.log(70), 2)).astype(int) + 1
        colour = [int(v) for v in rng.integers(0, 256, 3)]
        thick = -1 if rng.random() < 0.6 else int(rng.integers(1, 6))
        kind = rng.random()
        if kind < 0.5:
            cv2.ellipse(
                image, at, size.tolist(), float(rng.uniform(0, 180)), 0, 360, colour, thick, cv2.LINE_AA
            )
        elif kind < 0.75:
            cv2.rectangle(image, at, (np.array(at) + size).tolist(), colour, thick, cv2.LINE_AA)
        else:
            end = rng.integers([0, 0], [w, h]).tolist()
            cv2.line(image, at, end, colour, int(rng.integers(1, 8)), cv2.LINE_AA)
    return image
