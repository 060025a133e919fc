"""Names and place of TensorRT engine files; the core says them, since it looks for what is built here."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import NamedTuple

from dmask import _core

PRECISIONS = ("f32", "f16")
PORTABLE = _core.gpu_part("tensorrt_rtx", "", 8, 0)  # one engine for compute capability 8.0 and later ...
TURING = _core.gpu_part("tensorrt_rtx", "", 7, 5)  # ... and one for 7.5


class EngineKey(NamedTuple):
    """What an engine was built from, for and with."""

    model: str  # stem of the ONNX file
    sha256: str  # of the ONNX file
    precision: str  # f32 | f16
    flavour: str  # tensorrt | tensorrt_rtx
    version: str  # of the library, all four numbers
    gpu: str  # see gpu_part

    @property
    def file_name(self) -> str:
        return _core.engine_file_name(*self)


def gpu_part(flavour: str, name: str, major: int, minor: int) -> str:
    """The GPU's part of a key: an engine of TensorRT is for one GPU, one of TensorRT for RTX for many."""
    return _core.gpu_part(flavour, name, major, minor)


def this_gpu() -> tuple[str, int, int] | None:
    """Name and compute capability of the first GPU, from the driver; None without one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(256)
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceGetName(name, len(name), device)
        or driver.cuDeviceGetAttribute(ctypes.byref(major), 75, device)  # compute capability
        or driver.cuDeviceGetAttribute(ctypes.byref(minor), 76, device)
    )
    return None if failed else (name.value.decode(), major.value, minor.value)


def folder() -> Path:
    """Where engines are kept: $DMASK_ENGINES, else the user's cache."""
    return Path(_core.engine_folder())
