"""Stages of work that overlap, each some items ahead of the next."""

import threading

import pytest

from dmask.run.prefetch import prefetched


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_order_is_kept_and_nothing_is_lost(depth):
    assert list(prefetched(iter(range(200)), depth)) == list(range(200))


@pytest.mark.parametrize("depth", [0, 2])
def test_an_error_comes_after_the_items_before_it(depth):
    def two_then_trouble():
        yield 1
        yield 2
        raise ValueError("trouble")

    seen = []
    with pytest.raises(ValueError, match="trouble"):
        for item in prefetched(two_then_trouble(), depth):
            seen.append(item)
    assert seen == [1, 2]


def test_a_stage_is_never_more_than_its_depth_ahead():
    made = []

    def items():
        for number in range(50):
            made.append(number)
            yield number

    for used, item in enumerate(prefetched(items(), 3)):
        assert item == used
        assert len(made) <= used + 1 + 3 + 1  # the queue, and the one that waits to enter it


def test_closing_ends_every_stage_of_a_chain():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    chain = prefetched(prefetched(endless(), 2), 2)
    assert next(chain) == 0
    chain.close()
    assert closed.wait(5)
    assert threading.active_count() == before
