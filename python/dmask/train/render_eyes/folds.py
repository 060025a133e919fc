"""Where a fold is really seen in a rendered picture, and how clearly.

The mesh has its loops where the skins' photographs show their folds on the average; a person's own fold lies
a few pixels off, or is not there. So the line is drawn to the valley of the picture next to the loop, and
`present` is decided by the valley's depth, not by what was asked of the renderer.
"""

from dataclasses import dataclass

import cv2
import numpy as np

REACH_PX = 5  # how far the line may move across itself
FLANK_PX = 4  # a valley is compared with the skin so far on either side
AROUND_PX = 4  # and with what the same measure says of lines beyond the flanks
PRESENT, ABSENT = 0.11, 0.055  # of the valley's depth in log radiance
CLEAR = 1.3  # times what is around


@dataclass
class Fold:
    line: np.ndarray  # (n,2)
    depth: float  # mean of the valley's depth along the line, in log radiance
    around: float  # the same of the neighbouring lines: texture, shading

    @property
    def present(self) -> int:
        """1 there, 0 not there, 255 undecided."""
        if self.depth >= PRESENT and self.depth >= CLEAR * self.around:
            return 1
        return 0 if self.depth <= ABSENT else 255


def log_radiance(linear: np.ndarray) -> np.ndarray:
    """f32 (h,w) of a linear picture (h,w,3), a little smoothed; deep shadow is lifted as a camera's is."""
    grey = linear.mean(-1)
    return cv2.GaussianBlur(np.log(grey + 0.05 * max(float(np.median(grey)), 1e-3)), (0, 0), 0.8)


def _across(picture: np.ndarray, line: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples (n,2 reach+1) across a line (n,2) which runs to the right, and its normals (n,2), + down."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    at = (line[:, None] + np.arange(-reach, reach + 1)[None, :, None] * normal[:, None]).astype(np.float32)
    return cv2.remap(
        picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ), normal


def valley_depth(picture: np.ndarray, line: np.ndarray) -> tuple[float, float]:
    """Depth of the valley along a line (n,2), and root mean square of its neighbours' (log radiance)."""
    beyond = FLANK_PX + AROUND_PX
    profile, _ = _across(picture, line, beyond + FLANK_PX)
    mean = profile[1:-1].mean(0)
    depth = (mean[: -2 * FLANK_PX] + mean[2 * FLANK_PX :]) / 2 - mean[FLANK_PX:-FLANK_PX]
    offset = np.abs(np.arange(-beyond, beyond + 1))
    return float(depth[beyond]), float(np.sqrt((depth[offset > FLANK_PX] ** 2).mean()))


def find_fold(picture: np.ndarray, line: np.ndarray) -> Fold:
    """The valley next to a line (n,2) in a picture's log radiance (h,w)."""
    profile, normal = _across(picture, line, REACH_PX + FLANK_PX)
    depth = (profile[:, : -2 * FLANK_PX] + profile[:, 2 * FLANK_PX :]) / 2 - profile[:, FLANK_PX:-FLANK_PX]
    offsets = np.arange(-REACH_PX, REACH_PX + 1)
    # The best path by dynamic programming: deep, smooth, and near the loop.
    gain = depth - 0.004 * offsets**2
    bend = 0.06 * (offsets[:, None] - offsets[None, :]) ** 2
    total, before = gain[0], np.zeros(depth.shape, int)
    for k in range(1, len(line)):
        choices = total[None, :] - bend
        before[k] = choices.argmax(1)
        total = choices.max(1) + gain[k]
    path = np.empty(len(line), int)
    path[-1] = total.argmax()
    for k in range(len(line) - 1, 0, -1):
        path[k - 1] = before[k, path[k]]
    moved = offsets[path].astype(float)
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    moved = np.convolve(np.pad(moved, 2, mode="edge"), kernel, mode="valid")
    found = line + moved[:, None] * normal
    return Fold(found, *valley_depth(picture, found))
