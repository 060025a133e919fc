"""dmask: a face video in, a de-identified 3D reconstruction with the eye signs kept out.

    pipeline = dmask.Pipeline(dmask.Options())
    result = pipeline.process(frame_bgr_uint8, time_s)    # result.mask, result.od.yaw_deg, ...

The core is loaded on first use, so that `import dmask` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmask.errors import Error

if TYPE_CHECKING:
    from dmask._core import FrameResult, Options, Pipeline

__all__ = ["Error", "FrameResult", "Options", "Pipeline", "__version__"]
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
