"""Names and place of TensorRT engine files; cpp/src/cuda/tensorrt/engine_file.cc says the same."""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import dataclass
from pathlib import Path

RECIPE = 1  # to be raised, there as well, when conversion or profiles change: older engines no longer fit
PRECISIONS = ("f32", "f16")
PORTABLE = "portable"  # TensorRT for RTX builds one engine for compute capability 8.0 and later ...
TURING = "sm75"  # ... and one for 7.5
HASH_DIGITS = 16


@dataclass(frozen=True)
class EngineKey:
    """What an engine was built from, for and with."""

    model: str  # stem of the ONNX file
    sha256: str  # of the ONNX file
    precision: str  # f32 | f16
    flavour: str  # tensorrt | tensorrt_rtx
    version: str  # of the library, all four numbers
    gpu: str  # see gpu_part

    @property
    def file_name(self) -> str:
        return (
            f"{self.model}-{self.sha256[:HASH_DIGITS]}-{self.precision}-r{RECIPE}"
            f"-{self.flavour}-{self.version}-{self.gpu}.engine"
        )


def gpu_part(flavour: str, name: str, major: int, minor: int) -> str:
    """The GPU's part of a key: an engine of TensorRT is for one GPU, one of TensorRT for RTX for many."""
    if flavour == "tensorrt_rtx":
        return TURING if (major, minor) == (7, 5) else PORTABLE
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") + f"_sm{major}{minor}"


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
    if named := os.environ.get("DMASK_ENGINES"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dmask" / "engines"
