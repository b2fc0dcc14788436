from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.errors import StoreFull, UnsupportedHash
from peershelf.blockstore.multihash import IDENTITY
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.pipeline import Abandoned
from peershelf.blockstore.unixfs.profiles import UNIXFS_V0_2015, UNIXFS_V1_2025, with_options

MIB = 1 << 20
SMALL = with_options(UNIXFS_V1_2025, chunk_size=16, max_links=3)


def import_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("import-")]


@given(st.binary(max_size=500), st.lists(st.integers(1, 60), min_size=1))
def test_the_cid_does_not_depend_on_how_the_bytes_arrive(
    make_shelf: Callable[[], Any], data: bytes, sizes: list[int]
) -> None:
    whole = make_shelf().add(data, SMALL)
    with Importer(lambda _: None, SMALL) as importer:
        start = 0
        while start < len(data):
            size = sizes[start % len(sizes)]
            importer.write(bytearray(data[start : start + size]))
            start += size
        assert importer.finish() == whole


@pytest.mark.parametrize("profile", [UNIXFS_V0_2015, UNIXFS_V1_2025], ids=lambda profile: profile.name)
def test_the_sink_gets_every_block_of_the_dag_children_first(profile: Any, some_bytes: Any) -> None:
    blocks: list[Block] = []
    with Importer(blocks.extend, with_options(profile, chunk_size=1000, max_links=5)) as importer:
        importer.write(some_bytes(60_000))
        imported = importer.finish()
    seen = set()
    for block in blocks:
        assert Block.verify(block.cid, block.data) == block
        assert set(links(block.cid, block.data)) <= seen
        seen.add(block.cid)
    assert blocks[-1].cid == imported.cid
    assert imported.blocks == len(blocks)
    assert imported.size == 60_000
    assert imported.dag_size == sum(len(block.data) for block in blocks)


def test_batches_toward_the_sink_are_almost_6_mib() -> None:
    batches: list[int] = []
    with Importer(lambda batch: batches.append(sum(len(block.data) for block in batch))) as importer:
        for number in range(30):
            importer.write(number.to_bytes(8) * (MIB // 8))
        importer.finish()
    assert batches[:-1] == [5 * MIB] * 5
    assert sum(batches) > 30 * MIB


def test_a_small_file_starts_no_thread() -> None:
    threads: list[list[str]] = []
    with Importer(lambda _: threads.append(import_threads())) as importer:
        importer.write(bytes(MIB))
        importer.finish()
    assert threads == [[]]


def test_a_large_file_is_written_by_a_thread_of_its_own_which_ends() -> None:
    names: set[str] = set()
    with Importer(lambda _: names.add(threading.current_thread().name)) as importer:
        importer.write(bytes(20 * MIB))
        importer.finish()
        assert import_threads() == []
    assert names == {"import-writer"}


class StalledSink:
    """Takes no batch until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, batch: Sequence[Block]) -> None:
        self.entered.set()
        self.released.wait()


class Feeder(threading.Thread):
    """Writes 64 MiB into an importer and notes how far it got."""

    def __init__(self, importer: Importer) -> None:
        super().__init__()
        self.importer = importer
        self.written = 0
        self.progress = threading.Semaphore(0)
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for _ in range(64):
                self.importer.write(bytes(MIB))
                self.written += 1
                self.progress.release()
        except Abandoned as error:
            self.error = error

    def wait_until_it_stands_still(self) -> int:
        """Return the pieces written, which are all that fit and at least what the pipeline holds."""
        for _ in range(24):
            assert self.progress.acquire(timeout=60)
        while self.progress.acquire(timeout=0.3):
            pass
        return self.written


def test_at_most_32_mib_are_in_flight_when_the_sink_stands_still() -> None:
    sink = StalledSink()
    with Importer(sink) as importer:
        feeder = Feeder(importer)
        feeder.start()
        assert sink.entered.wait(10)
        assert feeder.wait_until_it_stands_still() <= 33
        sink.released.set()
        feeder.join()
        assert feeder.written == 64
        assert importer.finish().size == 64 * MIB


def test_close_wakes_a_writer_that_waits_for_room() -> None:
    sink = StalledSink()
    importer = Importer(sink)
    feeder = Feeder(importer)
    feeder.start()
    assert sink.entered.wait(10)
    feeder.wait_until_it_stands_still()
    threading.Timer(0.05, sink.released.set).start()
    importer.close()
    feeder.join(10)
    assert isinstance(feeder.error, Abandoned)
    assert import_threads() == []


def full_disk(batch: Sequence[Block]) -> None:
    raise StoreFull("no space left on the device")


@pytest.mark.parametrize("size", [0, 1, 2 * MIB, 40 * MIB])
def test_what_the_sink_raises_comes_out_of_the_call(size: int) -> None:
    importer = Importer(full_disk)
    with pytest.raises(StoreFull), importer:
        importer.write(bytes(size))
        importer.finish()
    assert import_threads() == []


def test_a_failed_sink_is_not_called_again_and_ends_the_writing() -> None:
    calls: list[int] = []

    def fail_once(batch: Sequence[Block]) -> None:
        calls.append(len(batch))
        raise StoreFull("no space left on the device")

    with Importer(fail_once) as importer, pytest.raises(StoreFull):
        while True:
            importer.write(bytes(MIB))
    assert len(calls) == 1


@pytest.mark.parametrize("chunks", [1, 3])
def test_what_a_hash_raises_comes_out_of_the_call(chunks: int) -> None:
    identity = with_options(UNIXFS_V1_2025, hash_code=IDENTITY)
    with pytest.raises(UnsupportedHash), Importer(lambda _: None, identity) as importer:
        importer.write(bytes(chunks * MIB))
        importer.finish()
    assert import_threads() == []


@pytest.mark.parametrize("size", [0, 1, 40 * MIB])
def test_leaving_early_abandons_the_import_and_its_threads(size: int) -> None:
    with Importer(lambda _: None) as importer:
        importer.write(bytes(size))
    assert import_threads() == []
    importer.close()


def test_nothing_is_accepted_after_the_end() -> None:
    with Importer(lambda _: None) as importer:
        importer.finish()
        with pytest.raises(ValueError, match="over"):
            importer.write(b"x")
        with pytest.raises(ValueError, match="over"):
            importer.finish()


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 40))
def test_blocks_come_in_file_order_whatever_the_number_of_workers(workers: int, chunks: int) -> None:
    blocks: list[Block] = []
    pieces = [bytes([number]) * 1_000_000 for number in range(chunks)]
    profile = with_options(UNIXFS_V1_2025, chunk_size=1_000_000)
    with Importer(blocks.extend, profile, workers=workers) as importer:
        for piece in pieces:
            importer.write(piece)
        importer.finish()
    assert [block.data for block in blocks][:chunks] == pieces
