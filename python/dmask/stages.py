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


class Stages:
    """Milliseconds a frame by stage; a stage that did not run in a frame adds nothing."""

    def __init__(self) -> None:
        self._ms: dict[str, array] = {name: array("f") for name in STAGES}

    def add(self, name: str, ms: float) -> None:
        self._ms[name].append(ms)

    def take(self, timings: Mapping[str, float], names: tuple[str, ...]) -> None:
        """Add the stages `names` of a Pipeline's last call; the core says 0 for one that did not run."""
        for name in names:
            if timings.get(name, 0.0) > 0.0:
                self._ms[name].append(timings[name])

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.add(name, 1e3 * (time.perf_counter() - start))

    def summary(self) -> dict[str, dict[str, float]]:
        """p50, p95, p99 and the largest, in ms, of every stage that ran."""
        found = {}
        for name, values in self._ms.items():
            if values:
                p50, p95, p99 = np.percentile(np.frombuffer(values, np.float32), (50, 95, 99))
                named = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max(values)}
                found[name] = {key: round(float(value), 4) for key, value in named.items()}
        return found
