"""The reader of a track.dmask: a patient's parameters, from which the mask is drawn again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dmask.errors import Error
from dmask.io import container

LARGEST_PX = 16384
ARRAYS = {  # of a track: kind of number and shape, -1 for any length
    "rows": ("f", (-1, -1)), "time_s": ("f", (-1,)), "time_base": ("i", (2,)), "rate": ("i", (2,)),
    "size": ("i", (2,)),
}  # fmt: skip


class Track(NamedTuple):
    statics: dict[str, np.ndarray]  # of the subject, float32
    rows: np.ndarray  # (F, numbers of a frame) float32
    times_s: np.ndarray  # (F,) rising
    time_base: Fraction
    rate: Fraction
    size: tuple[int, int]  # width and height, px


def read_track(path: Path) -> Track:
    """A track.dmask. Raises Error where the file is not one."""
    expected = "expected a track.dmask that `dmask run` wrote"
    try:
        arrays = dict(container.read(path))
    except container.ContainerError as error:
        raise Error(f"{error}; {expected}") from None
    for name, (kind, shape) in ARRAYS.items():
        if name not in arrays:
            raise Error(f"{path} has no {name}; {expected}")
        got, dtype = arrays[name].shape, arrays[name].dtype
        same = len(got) == len(shape) and all(n in (-1, m) for n, m in zip(shape, got, strict=True))
        if dtype.kind != kind or not same:
            raise Error(f"{path}: {name} is {dtype} of the shape {got}; {expected}")
    with np.errstate(over="ignore"):  # the core refuses what is not finite
        rows, times_s = arrays.pop("rows").astype(np.float32), arrays.pop("time_s").astype(np.float64)
    fractions = [tuple(int(n) for n in arrays.pop(name)) for name in ("time_base", "rate")]
    width, height = (int(n) for n in arrays.pop("size"))
    if not 0 < len(rows) == len(times_s):
        raise Error(f"{path} holds {len(rows)} frames and {len(times_s)} times; {expected}")
    if any(not (0 < n < 2**31 and 0 < d < 2**31) for n, d in fractions):
        raise Error(f"{path} has clock ticks {fractions[0]} and rate {fractions[1]}; {expected}")
    if not (0 < width <= LARGEST_PX and 0 < height <= LARGEST_PX):
        raise Error(f"{path} is of {width}x{height} pixels, expected 1 to {LARGEST_PX} a side; {expected}")
    time_base, rate = (Fraction(*pair) for pair in fractions)
    ticks = [round(time_s / time_base) for time_s in times_s.tolist() if abs(time_s) < 2**31]  # false for NaN
    if len(ticks) < len(rows) or any(b <= a for a, b in zip(ticks, ticks[1:], strict=False)):
        raise Error(f"{path} has frame times that do not rise; {expected}")
    with np.errstate(over="ignore"):
        statics = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Track(statics, rows, times_s, time_base, rate, (width, height))
