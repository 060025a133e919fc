"""Batches made ahead by processes: in order, each the same as if it had been made on the spot."""

from __future__ import annotations

import mmap
import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

Batch = dict[str, NDArray]
Make = Callable[[int, float], Batch]  # (step, augmentation strength 0..1)

SLOTS_A_WORKER = 3
PATIENCE_S = 120.0  # for one batch; a worker that was killed never answers


class Ahead:
    """`take(step)` for step = first, first + 1, ...; what it returns is valid until the next `take`.

    make: of a step and a strength, and of nothing else. Without workers it is called here, when asked.
    strength: of a step, asked for when the step's batch is begun.
    """

    def __init__(self, make: Make, strength: Callable[[int], float], first: int, workers: int) -> None:
        self.make, self.strength, self.asked = make, strength, first
        self.processes: list[multiprocessing.context.ForkProcess] = []
        if workers == 0:
            return
        cv2.setNumThreads(1)  # threads do not survive a fork, and OpenCV would wait for its own
        context = multiprocessing.get_context("fork")  # `make` and its pictures are shared, not sent
        like = make(first, strength(first))
        self.slots = [shared_like(like) for _ in range(SLOTS_A_WORKER * workers)]
        self.free = list(range(len(self.slots)))
        self.ready: dict[int, int] = {}
        self.lent: int | None = None
        self.tasks: SimpleQueue = context.SimpleQueue()
        self.answers: SimpleQueue = context.SimpleQueue()
        for _ in range(workers):
            process = context.Process(target=self._work, daemon=True)
            process.start()
            self.processes.append(process)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join()

    def take(self, step: int) -> Batch:
        """Raises RuntimeError where a worker failed."""
        if not self.processes:
            return self.make(step, self.strength(step))
        if self.lent is not None:
            self.free.append(self.lent)
        while self.free:
            self.tasks.put((self.free.pop(), self.asked, self.strength(self.asked)))
            self.asked += 1
        while step not in self.ready:
            self._hear()
        self.lent = self.ready.pop(step)
        return self.slots[self.lent]

    def _hear(self) -> None:
        if not self.answers._reader.poll(PATIENCE_S):  # type: ignore[attr-defined]
            dead = sum(not process.is_alive() for process in self.processes)
            raise RuntimeError(
                f"no batch came in {PATIENCE_S:g} s, {dead} of {len(self.processes)} workers are gone; "
                "start again with fewer --workers"
            )
        step, slot, failure = self.answers.get()
        if failure:
            raise RuntimeError(f"a worker failed at step {step}:\n{failure}")
        self.ready[step] = slot

    def _work(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
        while True:
            slot, step, strength = self.tasks.get()
            failure = ""
            try:
                for name, array in self.make(step, strength).items():
                    self.slots[slot][name][...] = array
            except Exception:
                failure = traceback.format_exc()
            self.answers.put((step, slot, failure))


def shared_like(batch: Batch) -> Batch:
    """Empty arrays of the same shapes in memory that forked processes share."""
    return {
        name: np.frombuffer(mmap.mmap(-1, max(1, a.nbytes)), a.dtype, a.size).reshape(a.shape)
        for name, a in batch.items()
    }
