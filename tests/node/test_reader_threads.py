"""Threads that read while somebody else writes: all that is wanted comes once, and they end when told to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.node.reader_threads import THREADS, ReaderThreads
from peershelf.node.store_reading import Batch

BLOCKS = {block.cid: block for block in (Block.create(bytes([number])) for number in range(40))}
CIDS = list(BLOCKS)


def one_at_a_time(cids: Sequence[Cid]) -> Batch:
    return Batch([BLOCKS[cids[0]]], {}, {}, cids[1:])


def test_all_that_is_wanted_comes_once() -> None:
    with closing(ReaderThreads(one_at_a_time)) as readers:
        readers.want(CIDS[:30])
        readers.want(CIDS[30:])
        come = [readers.receive().blocks[0].cid for _ in CIDS]
    assert sorted(come) == sorted(CIDS)


def test_a_lone_block_is_read_by_whoever_wants_it() -> None:
    def read(cids: Sequence[Cid]) -> Batch:
        seen.append(threading.current_thread())
        return one_at_a_time(cids)

    seen: list[threading.Thread] = []
    with closing(ReaderThreads(read)) as readers:
        for cid in CIDS[:3]:
            readers.want([cid])
            assert readers.receive().blocks == [BLOCKS[cid]]
        readers.want(CIDS[3:5])
        readers.receive()
        readers.receive()
    here = threading.current_thread()
    assert seen[:3] == [here] * 3
    assert here not in seen[3:]


def test_they_read_side_by_side() -> None:
    together = threading.Barrier(THREADS)

    def read(cids: Sequence[Cid]) -> Batch:
        together.wait(30)
        return one_at_a_time(cids)

    with closing(ReaderThreads(read)) as readers:
        readers.want(CIDS[:THREADS])
        for _ in range(THREADS):
            readers.receive()
    assert not together.broken


def test_what_reading_raises_is_raised_to_the_user() -> None:
    def read(cids: Sequence[Cid]) -> Batch:
        raise ZeroDivisionError

    with closing(ReaderThreads(read)) as readers:
        for wanted in CIDS[:1], CIDS[:2]:
            readers.want(wanted)
            with pytest.raises(ZeroDivisionError):
                readers.receive()


def test_closing_drops_what_is_not_read_yet_and_waits_for_the_rest() -> None:
    started, go_on = threading.Semaphore(0), threading.Event()
    read: list[Cid] = []

    def slowly(cids: Sequence[Cid]) -> Batch:
        started.release()
        assert go_on.wait(30)
        read.append(cids[0])
        return one_at_a_time(cids)

    readers = ReaderThreads(slowly)
    readers.want(CIDS)
    for _ in range(THREADS):
        assert started.acquire(timeout=30)
    closing = threading.Thread(target=readers.close)
    closing.start()
    # Each is at its first block; close() has said so before it waits for them.
    while not readers._closed:
        pass
    go_on.set()
    closing.join(30)
    assert not closing.is_alive()
    assert len(read) == THREADS
    assert not [thread for thread in threading.enumerate() if thread.name == "reader"]
