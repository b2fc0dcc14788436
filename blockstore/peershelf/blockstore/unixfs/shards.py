"""Writing a HAMT directory, from its deepest shards up.

The entries are dealt out to the root's slots first and the slots are then built one after another, so that
beyond the entries themselves only 16 bytes for each are needed, and the sorted entries of a single slot.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import packed_link
from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs import hamt, message
from peershelf.blockstore.unixfs.batch import Batch
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.metadata import NONE, Metadata, with_metadata
from peershelf.blockstore.unixfs.murmur3 import murmur3_64
from peershelf.blockstore.unixfs.nodes import node_block
from peershelf.blockstore.unixfs.profiles import Profile

_Placed = tuple[int, bytes]
"""The hash of a name, and the name."""

_Slots = Iterable[tuple[int, list[_Placed]]]
"""The slots of a shard that are not empty, in order, each with its entries in the order of their hashes."""


class ShardWriter:
    """Makes the shards of one directory."""

    def __init__(self, profile: Profile, entries: Mapping[bytes, bytes], batch: Batch) -> None:
        """`entries` gives for each name the rest of its link, as packed_link has it."""
        self._profile = profile
        self._entries = entries
        self._batch = batch
        self._fanout = profile.hamt_fanout
        self._slot_names = [hamt.slot_name(slot, self._fanout) for slot in range(self._fanout)]

    def write(self, metadata: Metadata) -> tuple[Cid, int]:
        """Put the shards into the batch, children before parents; return the root and its Tsize.

        Raises InvalidImportOption for names that need too deep a tree, BlockTooLarge, and what the batch
        raises.
        """
        return self._shard(self._root_slots(), 0, metadata)

    def _shard(self, slots: _Slots, depth: int, metadata: Metadata = NONE) -> tuple[Cid, int]:
        links = []
        filled = tsizes = 0
        for slot, placed in slots:
            filled |= 1 << slot
            name, packed = self._content(placed, depth)
            links.append(packed_link.encode(self._slot_names[slot] + name, packed))
            tsizes += packed_link.tsize(packed)
        block = node_block(self._profile, packed_link.encode_node(links, self._data(filled, metadata)))
        self._batch.add(block)
        return block.cid, len(block.data) + tsizes

    def _content(self, placed: list[_Placed], depth: int) -> tuple[bytes, bytes]:
        """Return what a slot holds: an entry, or a shard with several, which has no name."""
        if len(placed) == 1:
            name = placed[0][1]
            return name, self._entries[name]
        if depth + 1 == hamt.levels(self._fanout):
            raise InvalidImportOption(
                f"names of one directory have hashes too alike for {self._fanout} slots a shard; "
                "a larger --max-hamt-fanout may help"
            )
        return b"", packed_link.pack(*self._shard(self._slots(placed, depth + 1), depth + 1))

    def _root_slots(self) -> _Slots:
        names: list[list[bytes]] = [[] for _ in range(self._fanout)]
        hashes = [array("Q") for _ in range(self._fanout)]
        shift = hamt.shift(self._fanout, 0)
        for name in self._entries:
            hashed = murmur3_64(name)
            names[hashed >> shift].append(name)
            hashes[hashed >> shift].append(hashed)
        for slot, group in enumerate(names):
            if group:
                yield slot, sorted(zip(hashes[slot], group, strict=True))

    def _slots(self, placed: list[_Placed], depth: int) -> Iterator[tuple[int, list[_Placed]]]:
        shift, mask = hamt.shift(self._fanout, depth), self._fanout - 1
        for slot, group in groupby(placed, lambda entry: entry[0] >> shift & mask):
            yield slot, list(group)

    def _data(self, filled: int, metadata: Metadata) -> bytes:
        """Describe a shard; Kubo writes the bits of its filled slots without the zero bytes that lead."""
        content = Data(
            DataType.HAMT,
            filled.to_bytes((filled.bit_length() + 7) // 8, "big"),
            hash_type=hamt.MURMUR3_X64_64,
            fanout=self._fanout,
        )
        return message.encode(with_metadata(content, metadata))
