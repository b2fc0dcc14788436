"""What tests put into a node's files, and reading it back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.unixfs.profiles import PROFILES, with_options
from peershelf.node import Node

SMALL_CHUNKS = with_options(PROFILES["unixfs-v1-2025"], chunk_size=1000, max_links=4)


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


async def read(node: Node, reference: Cid | str, **options: int) -> bytes:
    return b"".join([bytes(chunk) async for chunk in node.cat(reference, **options)])


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
