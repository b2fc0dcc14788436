"""A directory's blocks: one node with all the links as long as that is small, a tree of shards beyond.

https://specs.ipfs.tech/unixfs/#dag-pb-directory, and for what is small
https://specs.ipfs.tech/ipips/ipip-0499/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate, starmap

from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import packed_link
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.batch import Batch
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.metadata import Metadata, with_metadata
from peershelf.blockstore.unixfs.nodes import node_block
from peershelf.blockstore.unixfs.profiles import Estimation, Profile
from peershelf.blockstore.unixfs.shards import ShardWriter

Entries = Mapping[bytes, bytes]
"""For each name the rest of its link, as packed_link has it."""


def write_directory(profile: Profile, entries: Entries, metadata: Metadata, batch: Batch) -> tuple[Cid, int]:
    """Put a directory's blocks into `batch`, children before parents; return its root and Tsize.

    Raises BlockTooLarge, InvalidImportOption as ShardWriter does, and what the batch raises.
    """
    data = message.encode(with_metadata(Data(DataType.DIRECTORY), metadata))
    if _is_too_large(profile, entries, data):
        return ShardWriter(profile, entries, batch).write(metadata)
    links = (packed_link.encode(name, entries[name]) for name in sorted(entries))
    block = node_block(profile, packed_link.encode_node(links, data))
    batch.add(block)
    return block.cid, len(block.data) + sum(map(packed_link.tsize, entries.values()))


def _is_too_large(profile: Profile, entries: Entries, data: bytes) -> bool:
    if 0 < profile.max_directory_links < len(entries):
        return True
    most = MAX_BLOCK_SIZE
    if profile.directory_estimation == Estimation.BLOCK:
        most = min(most, profile.directory_threshold)
    elif profile.directory_estimation == Estimation.LINKS and _exceeds(
        profile.directory_threshold, (len(name) + packed_link.cid_length(entries[name]) for name in entries)
    ):
        return True
    without_links = len(packed_link.encode_node((), data))
    return _exceeds(most - without_links, starmap(packed_link.encoded_length, entries.items()))


def _exceeds(most: int, sizes: Iterable[int]) -> bool:
    """Tell whether the sum is more than that, looking at no more sizes than needed."""
    return any(total > most for total in accumulate(sizes))
