"""Jitter of landmarks: how far a point lies from its own local motion while the picture stands still.

Over WINDOW_FRAMES frames a quadratic is fitted to each point's track by least squares; the deviation is the
middle frame's distance from it, divided by sqrt(1 - h) with h the middle's leverage, so that white noise of
standard deviation s per axis gives s whatever the window. What is slower than the window is motion here.

Whether a window is still is asked of the picture, never of the points: optical flow at the point's place,
summed over the window. Frames that a codec repeated do not move either, and would be counted as still and
free of noise: they are left out (`changed`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.arrays import Floats, Pixels

WINDOW_FRAMES = 7
STILL_PCT = 1.0  # of the interocular distance: how far the picture may move within a window
MIN_CONFIDENCE = 0.5  # mean over the window; a hidden point is a guess
MIN_CHANGED = 0.2  # share of the face's pixels; below it the frame repeats the one before
FLOW_FACE_PX = 320  # wider faces are shrunk to this before the flow


class Deviations(NamedTuple):
    """What W windows say of P points."""

    frame: NDArray[np.int64]  # (W,) the window's middle
    xy_px: Floats  # (W, P, 2) the points' deviations
    moved_px: Floats  # (W, P) how far the picture moved there
    interocular_px: Floats  # (W,)
    seen: NDArray[np.bool_]  # (W, P) whether a point counts as seen


class PictureMotion:
    """Optical flow (DIS) between consecutive frames, at places in the face."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._before: Pixels | None = None

    def step(self, bgr: Pixels, face: Floats, places: Floats) -> tuple[Floats, float]:
        """Motion since the last frame at `places` (P, 2), px; share of the face's pixels that changed.

        bgr (H, W, 3); face (68, 2) px. The first frame gives NaN and 1.
        """
        now = np.ascontiguousarray(bgr[:, :, 1])
        before, self._before = self._before, now
        if before is None:
            return np.full((len(places), 2), np.nan), 1.0
        low, high = face.min(axis=0), face.max(axis=0)
        margin_px = 0.25 * (high[0] - low[0])
        scale = min(1.0, FLOW_FACE_PX / max(high[0] - low[0], 1.0))
        corner = low - margin_px
        size = np.maximum(np.ceil((high - low + 2 * margin_px) * scale), 16).astype(int)
        view = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]], np.float32)
        pair = [cv2.warpAffine(frame, view, size.tolist(), flags=cv2.INTER_LINEAR) for frame in (before, now)]
        raw = self._flow.calc(pair[0], pair[1], np.empty((1, 1, 2), np.float32))  # no flow to start from
        flow = cv2.blur(raw, (5, 5)) / scale
        at = np.clip(np.rint((places - corner) * scale).astype(int), 0, size - 1)
        x0, y0, x1, y1 = np.clip(np.r_[low, high + 1], 0, np.tile(now.shape[::-1], 2)).astype(int)
        inside = np.s_[y0:y1, x0:x1]
        changed = float(np.mean(now[inside] != before[inside])) if x1 > x0 and y1 > y0 else 0.0
        return flow[at[:, 1], at[:, 0]].astype(np.float64), changed


def deviations(
    time_s: Floats,
    points: Floats,
    motion: Floats,
    changed: Floats,
    interocular_px: Floats,
    confidence: Floats,
) -> Deviations:
    """Deviation of tracks from local quadratics in time.

    time_s (F,) s; points (F, P, 2) px, NaN where there is no face; motion (F, P, 2) px of the picture since
    the frame before; changed (F,) share of pixels; interocular_px (F,); confidence (F, P) 0..1.
    """
    usable = (changed >= MIN_CHANGED) & np.isfinite(points).all(axis=(1, 2))
    moved = np.asarray(np.isfinite(motion).all(axis=(1, 2)))
    rows = np.arange(max(len(time_s) - WINDOW_FRAMES + 1, 0))[:, None] + np.arange(WINDOW_FRAMES)
    rows = rows[usable[rows].all(axis=1) & moved[rows[:, 1:]].all(axis=1)]
    middle = WINDOW_FRAMES // 2
    t = time_s[rows]
    t = (t - t.mean(axis=1, keepdims=True)) / np.maximum(t[:, -1:] - t[:, :1], 1e-9)
    basis = np.stack([np.ones_like(t), t, t * t], axis=2)
    hat = (basis[:, middle : middle + 1] @ np.linalg.pinv(basis))[:, 0]  # (W, n): the fit at the middle
    residual = points[rows[:, middle]].copy()
    at = np.zeros_like(residual)  # place in the picture, from the window's first frame on
    low, high = at.copy(), at.copy()
    for k in range(WINDOW_FRAMES):
        residual -= hat[:, k, None, None] * points[rows[:, k]]
        if k:
            at += motion[rows[:, k]]
            low, high = np.minimum(low, at), np.maximum(high, at)
    return Deviations(
        rows[:, middle],
        residual / np.sqrt(1 - hat[:, middle])[:, None, None],
        np.linalg.norm(high - low, axis=-1),
        interocular_px[rows].mean(axis=1),
        confidence[rows].mean(axis=1) >= MIN_CONFIDENCE,
    )


def across(xy: Floats, line: Floats) -> Floats:
    """Size (..., K) of the part of (..., K, 2) vectors that is normal to the (..., K, 2) points of a line."""
    along = np.gradient(line, axis=-2)
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    size: Floats = np.abs(xy[..., 0] * along[..., 1] - xy[..., 1] * along[..., 0])
    return size
