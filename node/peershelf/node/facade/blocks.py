"""Single blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.store.base import StoreStats
from peershelf.node.errors import StillPinned
from peershelf.node.facade.pinning import Pinning


class BlockAccess(Pinning):
    """Blocks by CID, and counts of them."""

    async def get_block(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        """Return a block, from peers if need be. Raises BlockNotFound when offline, TimedOut."""
        return await self.blocks.get(cid, offline=offline, timeout=timeout)

    async def put_block(
        self,
        data: bytes,
        *,
        codec: int = RAW,
        hash_code: int = multihash.SHA2_256,
        pin: bool = False,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Block:
        """Store one block durably, whatever its bytes say; with `pin`, fetch and pin what is below it too.

        Raises BlockTooLarge, UnsupportedHash and StoreError; and where it is stored, but cannot be pinned
        with what it links to, MalformedBlock, UnsupportedCodec, BlockNotFound and TimedOut.
        """
        block = Block.create(data, codec=codec, hash_code=hash_code)
        with self.store.hold() as hold:
            await self.blocking.run(self.additions.sink(hold, durable=True), [block])
            if pin:
                await self.pin(block.cid, offline=offline, timeout=timeout)
        return block

    async def remove_block(self, cid: Cid) -> None:
        """Remove a block from the store. Raises BlockNotFound, and StillPinned if a pin needs the block."""
        for error in (await self.remove_blocks([cid])).values():
            raise error

    async def remove_blocks(self, cids: Sequence[Cid]) -> Mapping[Cid, BlockNotFound | StillPinned]:
        """Remove blocks from the store. Returns those that stay or are not there, and why."""
        from peershelf.node import removal

        return await self.blocking.run(removal.remove, self.store, self.pins, cids)

    def local_cids(self) -> Iterator[Cid]:
        """Every block in the store, as CIDv1 raw. Reads the index as it goes: iterate in a thread."""
        return (Cid.v1(RAW, key) for key in self.store.multihashes())

    async def stats(self) -> StoreStats:
        """Count the store's blocks and bytes."""
        return await self.blocking.run(self.store.stats)
