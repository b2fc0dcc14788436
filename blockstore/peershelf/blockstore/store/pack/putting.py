"""Putting blocks: in batches that fit into memory, and only those of which no sound copy is here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.errors import BlockTooLarge
from peershelf.blockstore.store.holds import HeldKeys
from peershelf.blockstore.store.pack.disk_use import segments_size
from peershelf.blockstore.store.pack.log import Entry
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.records import Kind
from peershelf.blockstore.store.pack.segments import Location

_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_BLOCKS = 1024


def batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Cut any number of blocks into pieces that fit into memory."""
    batch: list[Block] = []
    size = 0
    for block in blocks:
        batch.append(block)
        size += len(block.data)
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_BLOCKS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def append_missing(pack: Pack, blocks: Sequence[Block], held: HeldKeys | None, *, behind: bool) -> None:
    """Append to the log what is not stored soundly, and enter the rest into the hold, if there is one.

    For the one that writes. With `behind` the log is written while the caller goes on.
    Raises BlockTooLarge, StoreFull, StoreError.
    """
    located = pack.locate_to_put(block.cid.multihash for block in blocks)
    entries: dict[bytes, Entry] = {}
    for block in blocks:
        if len(block.data) > MAX_BLOCK_SIZE:
            raise BlockTooLarge(f"a block of {len(block.data)} bytes is over the limit of {MAX_BLOCK_SIZE}")
        key = block.cid.multihash
        if key not in entries and not _has_sound(pack, block, located[key], held):
            entries[key] = Entry(Kind.BLOCK, key, block.data)
    added = sum(entry.size for entry in entries.values())

    def stored() -> int:
        return segments_size(pack.directory)

    def stored_when_written() -> int:
        # What is on its way would count as free space.
        pack.log.wait()
        return stored()

    pack.reserve.check(added, stored_when_written)
    pack.log.append(list(entries.values()), behind=behind)
    pack.reserve.grow(added, stored)


def _has_sound(pack: Pack, block: Block, location: Location | None, held: HeldKeys | None) -> bool:
    """Whether a sound copy is stored; comparing with the bytes at hand is cheaper than hashing it."""
    if location is None or location.length != len(block.data):
        return False
    if pack.read(location) != block.data:
        return False
    pack.holds.touch(held, block.cid.multihash, location.position)
    return True
