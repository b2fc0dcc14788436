"""Blocks that were added to our own store lately: who waits for one gets it from there.

A block may be added while it is wanted, just before, or before its turn to be asked for; so what was added is
remembered for a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.recent import RecentKeys
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.offload import Offload

_REMEMBERED = 8_192
"""Blocks of which we remember that they were added."""


class AddedBlocks:
    """Reads them for whoever waits.

    Args:
        is_wanted: tells whether anybody waits for a block with this multihash.
        found: is given a block that somebody waits for.
    """

    def __init__(
        self,
        store: Blockstore,
        offload: Offload,
        *,
        is_wanted: Callable[[bytes], bool],
        found: Callable[[Cid, bytes], None],
    ) -> None:
        self._store = store
        self._offload = offload
        self._is_wanted = is_wanted
        self._found = found
        self._added: RecentKeys[bytes] = RecentKeys(_REMEMBERED)
        self._to_read: deque[Cid] = deque()
        self._some_to_read = Wakeup()

    def remember(self, cids: Iterable[Cid]) -> None:
        """These blocks are in the store now."""
        self._added.update(cid.multihash for cid in cids)

    def read_added(self, cids: Iterable[Cid]) -> None:
        """Read those of these blocks that were added lately: they are wanted from now on."""
        self._read(cid for cid in cids if cid.multihash in self._added)

    def read_wanted(self, cids: Iterable[Cid]) -> None:
        """Read those of these blocks, which are in the store, that somebody waits for."""
        self._read(cid for cid in cids if self._is_wanted(cid.multihash))

    def _read(self, cids: Iterable[Cid]) -> None:
        before = len(self._to_read)
        self._to_read.extend(cids)
        if len(self._to_read) > before:
            self._some_to_read.set()

    async def run(self) -> None:
        """Read, for ever. A block that cannot be read has to come from peers."""
        while True:
            await self._some_to_read.wait()
            while self._to_read:
                await self._read_one(self._to_read.popleft())

    async def _read_one(self, cid: Cid) -> None:
        if not self._is_wanted(cid.multihash):
            return
        try:
            data = await self._offload(partial(self._store.get, cid))
        except BlockstoreError:
            return
        self._found(cid, data)
