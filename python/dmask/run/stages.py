"""How long each stage of the work took, frame by frame."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

DETECT = ("face_detector", "preprocess", "net_face", "net_eyelid", "net_iris", "net_lines")
FIT = ("fit_face", "fit_eyelid", "fit_eyeball", "render")
STAGES = ("decode", *DETECT, *FIT, "encode", "frame_to_mask")
PERCENTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99, "max_ms": 100}


class Stages:
    """Milliseconds a frame by stage: frame i is entry i, NaN where the stage did not run."""

    def __init__(self) -> None:
        self._ms: dict[str, array[float]] = {name: array("f") for name in STAGES}
        self._decoding_s: array[float] = array("d")  # when a frame began
        self._encoded_s: array[float] = array("d")  # when it was done

    def add(self, name: str, ms: float) -> None:
        self._ms[name].append(ms)

    def take(self, timings: Mapping[str, float], names: tuple[str, ...]) -> None:
        """Add the stages `names` of a Pipeline's last call; the core says 0 for one that did not run."""
        for name in names:
            self._ms[name].append(timings.get(name, 0.0) or float("nan"))

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        end = time.perf_counter()
        self.add(name, 1e3 * (end - start))
        if name == "decode":
            self._decoding_s.append(start)
        elif name == "encode":
            self._encoded_s.append(end)

    def summary(self, first: int = 0) -> dict[str, dict[str, float]]:
        """p50, p95, p99 and the largest, in ms, of every stage that ran, from the frame `first` on."""
        found = {}
        for name, values in self._ms.items():
            ms = np.array(values[first:], np.float32)
            ms = ms[np.isfinite(ms)]
            if len(ms):
                found[name] = percentiles(ms)
        return found

    def decode_to_encode(self, first: int = 0) -> dict[str, float] | None:
        """Percentiles as in summary() of the time from a frame's decoding to the end of its encoding.

        Frames of the scan have waited for the calibration: name a `first` behind it.
        """
        done_s = np.array(self._encoded_s)
        begun_s = np.array(self._decoding_s)[: len(done_s)]
        return percentiles(1e3 * (done_s - begun_s)[first:]) if len(done_s) > first else None

    def frames_per_s(self, first: int = 0) -> float | None:
        """Frames encoded a second, from the frame `first` on; None for fewer than two of them."""
        done_s = self._encoded_s[first:]
        return (len(done_s) - 1) / (done_s[-1] - done_s[0]) if len(done_s) > 1 else None


def percentiles(ms: np.ndarray) -> dict[str, float]:
    values = np.percentile(ms, list(PERCENTILES.values()))
    return {key: round(float(value), 4) for key, value in zip(PERCENTILES, values, strict=True)}
