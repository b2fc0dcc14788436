"""Batches are put in their order while their user goes on, and what putting them meets comes out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing

import pytest

from peershelf.blockstore.block import Block
from peershelf.node.putting_behind import PuttingBehind

BATCHES = [[Block.create(bytes([number]))] for number in range(5)]


class Sink:
    """Remembers batches and threads; a batch that is to fail does, others go on once they may."""

    def __init__(self, *, fails_at: int = -1) -> None:
        self.put: list[Sequence[Block]] = []
        self.threads: set[threading.Thread] = set()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._fails_at = fails_at

    def __call__(self, blocks: Sequence[Block]) -> None:
        assert self.may_go_on.wait(30)
        self.threads.add(threading.current_thread())
        if len(self.put) == self._fails_at:
            raise OSError(28, "No space left on device")
        self.put.append(blocks)


def test_all_is_put_in_order_by_another_thread_and_in_the_end_by_the_user() -> None:
    sink = Sink()
    with closing(PuttingBehind(sink)) as putting:
        for batch in BATCHES:
            putting.put(batch)
        putting.finish()
    assert sink.put == BATCHES
    assert len(sink.threads) == 2


def test_a_single_batch_takes_no_thread_and_an_empty_one_nothing() -> None:
    sink = Sink()
    with closing(PuttingBehind(sink)) as putting:
        putting.put(BATCHES[0])
        putting.put([])
        putting.finish()
        putting.finish()
    assert (sink.put, sink.threads) == (BATCHES[:1], {threading.current_thread()})


def test_the_user_goes_on_while_a_batch_is_put() -> None:
    sink = Sink()
    sink.may_go_on.clear()
    with closing(PuttingBehind(sink)) as putting:
        putting.put(BATCHES[0])
        putting.put(BATCHES[1])  # returns, though none has been put
        assert sink.put == []
        sink.may_go_on.set()
        putting.finish()
    assert sink.put == BATCHES[:2]


def test_what_goes_wrong_comes_out_of_a_later_call_and_nothing_behind_it_is_put() -> None:
    sink = Sink(fails_at=1)
    with closing(PuttingBehind(sink)) as putting:
        for batch in BATCHES[:3]:
            putting.put(batch)
        with pytest.raises(OSError, match="No space left"):
            putting.finish()
        with pytest.raises(OSError, match="No space left"):
            putting.finish()
    assert sink.put == BATCHES[:1]


def test_closing_gives_up_what_waits_and_ends_what_is_put() -> None:
    sink = Sink()
    sink.may_go_on.clear()
    putting = PuttingBehind(sink)
    putting.put(BATCHES[0])
    putting.put(BATCHES[1])
    sink.may_go_on.set()
    putting.close()
    assert sink.put == BATCHES[:1]
    assert threading.current_thread() not in sink.threads
