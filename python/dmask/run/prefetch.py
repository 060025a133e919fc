"""Stages of work that overlap: each in a thread of its own, a few items ahead of the next, order kept."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")

_END = object()
_LOOK_S = 0.1  # how often a full stage asks whether anybody still wants its items


def ahead(items: Iterator[Item], depth: int) -> Iterator[Item]:
    """The same items in the same order, made by another thread up to `depth` ahead.

    An error of `items` is raised here, after the items before it. Closing this generator ends the thread and
    closes `items`. With a depth of 0 there is no thread: each item is made when it is asked for.
    """
    if depth == 0:
        yield from items
        return
    ready: queue.Queue = queue.Queue(depth)
    unwanted = threading.Event()
    failure: list[BaseException] = []

    def put(item: object) -> bool:
        while not unwanted.is_set():
            try:
                ready.put(item, timeout=_LOOK_S)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not put(item):
                    break
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            failure.append(error)
        finally:
            if hasattr(items, "close"):
                items.close()
            put(_END)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            yield item
        if failure:
            raise failure[0]
    finally:
        unwanted.set()
        thread.join()
