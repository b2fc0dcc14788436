"""A reader that takes blocks in order, and asks ahead of what it has taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import trio

from peershelf.blockstore.block import Block


async def read_in_order(node: Any, blocks: Sequence[Block], ahead: int) -> list[float]:
    """Take the blocks, asking for up to `ahead` more in two steps. Return when each could be taken."""
    taken, here, asked = [], set(), 0
    async with node.bitswap.session() as session:
        for number, block in enumerate(blocks):
            end = number + ahead - number % (ahead // 2)
            session.want(each.cid for each in blocks[asked:end])
            asked = max(asked, end)
            while block.cid not in here:
                here.add((await session.receive()).cid)
            taken.append(trio.current_time())
    return taken
