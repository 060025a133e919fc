"""Stages of work that overlap: each runs in a thread of its own, a few items ahead of the next, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class _End:
    """Comes after the last item."""


_POLL_S = 0.1  # how often a full stage asks whether anybody still wants its items


def prefetched(items: Iterator[Item], depth: int) -> Generator[Item, None, None]:
    """The same items in the same order, made by another thread up to `depth` ahead.

    An error of `items` is raised here, after the items before it. Closing this generator ends the thread and
    closes `items`. With a depth of 0 there is no thread: each item is made when it is asked for.
    """
    if depth == 0:
        yield from items
        return
    ready: queue.Queue[Item | _End] = queue.Queue(depth)
    unwanted = threading.Event()
    failure: list[BaseException] = []

    def put(item: Item | _End) -> bool:
        while not unwanted.is_set():
            try:
                ready.put(item, timeout=_POLL_S)
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
            put(_End())

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if failure:
            raise failure[0]
    finally:
        unwanted.set()
        thread.join()
