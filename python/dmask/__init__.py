"""dmask: a face video in, a de-identified 3D reconstruction with the eye signs kept out.

    pipeline = dmask.Pipeline(dmask.Options(profile="strict", hfov_deg=30))
    result = pipeline.process(frame_bgr_uint8, time_s)    # a live source, frame by frame
    result.mask, result.od.yaw_deg, result.to_dict()

A recording is looked at first: `detect` some of its frames, `calibrate` on them, then `fit` and `render`
each.

Pictures are (H, W, 3) uint8 BGR. Angles are degrees, lengths mm; in the head frame the patient's left, up
and out of the face are positive, in the camera frame right, down and away from the camera. `od` is the
patient's right eye, `os` the left. NaN: not measured in this frame, or withheld by the profile of the
options. What fails raises `dmask.Error`, a ValueError: what was got, what was expected, what to do.

The core is loaded on first use, so that `import dmask` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmask.errors import Error

if TYPE_CHECKING:
    from dmask._core import Calibration, EyeResult, FrameDetection, FrameResult, Options, Pipeline

__all__ = [
    "Calibration",
    "Error",
    "EyeResult",
    "FrameDetection",
    "FrameResult",
    "Options",
    "Pipeline",
    "__version__",
]
__version__: str


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("dmask")
    if name in __all__:
        from dmask import _core

        return getattr(_core, name)
    raise AttributeError(f"module 'dmask' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
