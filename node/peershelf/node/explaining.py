"""Why a CID is found, or is not: each step of finding it, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.transport import PeerId

if TYPE_CHECKING:
    from peershelf.node.network import Online

ASKING = 3.0
"""Seconds that connected peers get to say whether they have a block."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    stage: str
    """store, peer, bootstrap, routing, provider or result."""
    subject: str
    """What was asked: a peer, a way of finding, or the CID."""
    outcome: str


Tell = Callable[[Step], Awaitable[None]]


class Explanation:
    """Goes all the way for one CID, and tells of each step as it is done."""

    def __init__(self, store: Blockstore, online: Online, cid: Cid, tell: Tell) -> None:
        self._store = store
        self._online = online
        self._cid = cid
        self._tell = tell
        self._is_here = self._arrived = False

    async def run(self) -> None:
        """Explain."""
        size = (await trio.to_thread.run_sync(self._store.sizes, [self._cid])).get(self._cid)
        here = "not here" if size is None else f"here, {size} bytes"
        self._is_here = size is not None
        await self._tell(Step("store", str(self._cid), here))
        await self._ask_connected(self._online.host.peers())
        for peer, reason in list(self._online.connections.unreached.items()):
            await self._tell(Step("bootstrap", peer, f"not reached: {reason}"))
        providers = await self._find()
        reached = [info.peer for info in providers if await self._dial(info)]
        await self._ask_connected(reached)
        await self._tell(Step("result", str(self._cid), self._result(providers)))

    async def _ask_connected(self, peers: list[PeerId]) -> None:
        """Have the exchange ask, and tell what each of these peers said."""
        if not peers:
            return
        exchange = self._online.exchange
        async with exchange.session() as session:
            session.want([self._cid])
            with trio.move_on_after(ASKING) as patience:
                block = await session.receive()
            answers = exchange.asked_peers([self._cid])[self._cid]
        if not patience.cancelled_caught:
            self._arrived = True
            told = f"{len(block.data)} bytes arrived from one of {len(self._online.host.peers())} peers"
            await self._tell(Step("peer", "those connected", told))
            return
        for peer in peers:
            await self._tell(Step("peer", peer, str(answers.get(peer, "was not asked"))))

    async def _find(self) -> list[PeerInfo]:
        found: dict[PeerId, PeerInfo] = {}
        for part in self._online.routing.parts:
            outcomes: list[str] = []
            before = len(found)

            def note(info: PeerInfo) -> None:
                found.setdefault(info.peer, info)

            await part.find_providers(self._cid, note, outcomes.append)
            said = ", ".join(f"{count} {outcome}" for outcome, count in Counter(outcomes).most_common())
            told = f"{said or 'there was nobody to ask'}; {len(found) - before} providers named"
            await self._tell(Step("routing", part.name, told))
        return list(found.values())

    async def _dial(self, info: PeerInfo) -> bool:
        where = f"{info.peer} at {', '.join(info.addresses) or 'no address'}"
        try:
            await self._online.host.reach(info.peer, info.addresses)
        except NetworkError as error:
            await self._tell(Step("provider", where, f"not reached: {error}"))
            return False
        await self._tell(Step("provider", where, "connected"))
        return True

    def _result(self, providers: list[PeerInfo]) -> str:
        if self._arrived:
            return "it can be had"
        if self._is_here:
            return "it is here, and nobody else that could be asked has it, or knows who has"
        if providers:
            return f"{len(providers)} providers are named, and none of them gave it"
        return "nobody that could be asked has it, or knows who has"
