"""A directory's blocks: one node that holds all the links.

https://specs.ipfs.tech/unixfs/#dag-pb-directory
"""

from __future__ import annotations

from collections.abc import Mapping

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import packed_link
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.batch import Batch
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.metadata import Metadata, with_metadata
from peershelf.blockstore.unixfs.nodes import node_block
from peershelf.blockstore.unixfs.profiles import Profile

Entries = Mapping[bytes, bytes]
"""For each name the rest of its link, as packed_link has it."""


def write_directory(profile: Profile, entries: Entries, metadata: Metadata, batch: Batch) -> tuple[Cid, int]:
    """Put a directory's blocks into `batch`, children before parents; return its root and Tsize.

    Raises BlockTooLarge, and what the batch raises.
    """
    links = (packed_link.encode(name, entries[name]) for name in sorted(entries))
    data = message.encode(with_metadata(Data(DataType.DIRECTORY), metadata))
    block = node_block(profile, packed_link.encode_node(links, data))
    batch.add(block)
    return block.cid, len(block.data) + sum(map(packed_link.tsize, entries.values()))
