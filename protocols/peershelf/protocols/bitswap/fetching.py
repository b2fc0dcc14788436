"""A session as its user sees it: CIDs in, verified blocks out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import trio

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError, UnsupportedHash
from peershelf.protocols.bitswap.verify import can_verify
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.bitswap.want import SessionId
from peershelf.protocols.errors import LocalProtocolError

if TYPE_CHECKING:
    from peershelf.protocols.bitswap.client import Client


class Session:
    """Fetches blocks from whichever connected peers have them, many at a time.

    Use it as an async context manager; leaving it withdraws what is still wanted. Iterating yields blocks as
    they come, in any order, and ends when everything wanted so far has come. A consumer that is slow makes
    the session ask for less: what it holds is bounded.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._id: SessionId | None = None
        self._missing: set[Cid] = set()
        self._blocks: deque[tuple[Block, int]] = deque()
        # The second part is what the block counts against the session's bound.
        self._changed = Wakeup()
        self._error: BlockstoreError | None = None

    async def __aenter__(self) -> Self:
        self._id = self._client.open(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session_id, self._id = self._id, None
        if session_id is not None:
            self._client.close(session_id)

    @property
    def missing(self) -> int:
        """How many blocks are wanted and have not come."""
        return len(self._missing)

    def want(self, cids: Iterable[Cid]) -> None:
        """Want blocks; the order is their priority, after what is wanted already.

        Raises UnsupportedHash for a CID against which bytes of strangers cannot be checked.
        """
        new = [cid for cid in dict.fromkeys(cids) if cid not in self._missing]
        to_ask = [cid for cid in new if not self._known_without_asking(cid)]
        for cid in to_ask:
            if not can_verify(cid):
                raise UnsupportedHash(f"blocks of {cid} cannot be checked, so they are not fetched")
        self._missing.update(to_ask)
        self._client.want(self._open_id(), to_ask)

    async def receive(self) -> Block:
        """Return the next block that has come, waiting for it as long as it takes.

        Raises LocalProtocolError if nothing is wanted, StoreError if blocks could not be stored.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._blocks:
            if self._error is not None:
                raise self._error
            if not self._missing:
                raise LocalProtocolError("nothing is wanted in this session")
            await self._changed.wait()
        block, charged = self._blocks.popleft()
        self._client.consumed(self._open_id(), charged)
        return block

    def take_ready(self, most_bytes: int) -> list[Block]:
        """Return blocks that have come already, about `most_bytes` of them, without waiting."""
        taken: list[Block] = []
        size = 0
        while self._blocks and size < most_bytes:
            block, charged = self._blocks.popleft()
            taken.append(block)
            size += charged
        if size:
            self._client.consumed(self._open_id(), size)
        return taken

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Block:
        if not self._blocks and not self._missing and self._error is None:
            raise StopAsyncIteration
        return await self.receive()

    def deliver(self, block: Block) -> None:
        """For the client: a block that was wanted is here, verified and stored."""
        self._missing.discard(block.cid)
        self._blocks.append((block, len(block.data)))
        self._changed.set()

    def fail(self, error: BlockstoreError) -> None:
        """For the client: blocks can no longer be stored."""
        self._error = error
        self._changed.set()

    def _known_without_asking(self, cid: Cid) -> bool:
        data = inline_bytes(cid)
        if data is None:
            return False
        self._blocks.append((Block(cid, data), 0))
        self._changed.set()
        return True

    def _open_id(self) -> SessionId:
        if self._id is None:
            raise LocalProtocolError("the session is not open")
        return self._id
