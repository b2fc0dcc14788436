"""Finding peers, and announcing what is here."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import trio

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound
from peershelf.node.errors import NodeError
from peershelf.node.explaining import Explanation, Step
from peershelf.node.facade.core import Core
from peershelf.node.iterators import Closeable
from peershelf.node.peer_ids import parse_value_key
from peershelf.node.providing.provider import Provider, ProvideStat
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.base import PeerInfo, Router
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId


class RoutingAccess(Core):
    """What the routing of a node that is online can be asked. All of it raises NotOnline."""

    def find_providers(self, cid: Cid, *, count: int = 20) -> Closeable[PeerInfo]:
        """Iterate over peers that say that they have a block, each once, up to `count` of them."""

        async def search(found: Callable[[PeerInfo], None]) -> None:
            await self._router().find_providers(cid, found)

        return self._found(search, count)

    def find_peer(self, peer: PeerId) -> Closeable[PeerInfo]:
        """Iterate over what others say of where a peer is; ends with the first that names an address."""

        async def search(found: Callable[[PeerInfo], None]) -> None:
            known = [one for one in self.online.host.connections() if one.peer == peer]
            dialed = tuple(one.address for one in known if one.direction == "outbound")
            if dialed:
                found(PeerInfo(peer, dialed))
            else:
                await self._router().find_peer(peer, found)

        return self._found(search, 1)

    async def provide(self, *cids: Cid) -> int:
        """Announce blocks now, also those that were added so as not to be, from now on as others are.

        Returns how many notes were taken. Raises BlockNotFound for one not here, ContentBlocked, and in a
        private repo NodeError.
        """
        if self.repo.config.flag("Private"):
            raise NodeError("this repo is private, and announces nothing: `node config set Private false`")
        await self.blocks.check(*cids)
        here = await trio.to_thread.run_sync(self.store.sizes, cids)
        for cid in cids:
            if cid not in here:
                raise BlockNotFound(f"block {cid} is not in the store, so it is not announced")
        await trio.to_thread.run_sync(self._lift, cids)
        return await self._router().provide([cid.multihash for cid in cids])

    def _lift(self, cids: Sequence[Cid]) -> None:
        for cid in cids:
            if not self.pins.is_announced(cid):
                self.pins.set_announced(cid, True)

    async def get_value(self, key: str) -> bytes:
        """Return the best valid value of a key, such as the record of /ipns/NAME.

        Raises NodeError where nobody that could be asked has one, UsageError for text that is no key.
        """
        better: list[Value] = []
        asked = await self._router().get_value(parse_value_key(key), better.append)
        if not better:
            raise NodeError(f"no value of {key} was found: {asked} peers and routers were asked")
        return better[-1].data

    async def put_value(self, key: str, data: bytes) -> int:
        """Leave the value of a key with others. Returns how many have taken it.

        Raises NodeError for a value that is not valid, that is worse than one which others have, or that
        nobody took; UsageError for text that is no key.
        """
        from peershelf.protocols.routing.records.namespaces import check  # its cryptography takes 10 ms

        name = parse_value_key(key)
        router = self._router()
        try:
            value = check(name, data, time.time())
        except InvalidRecord as error:
            raise NodeError(f"this is no valid value of {key}: {error}") from None
        better: list[Value] = []
        taken = await router.put_value(name, value, better.append)
        if better:
            raise NodeError(f"others have a newer value of {key}: get it with `node routing get {key}`")
        if not taken:
            raise NodeError(f"nobody took the value of {key}: there are no peers in the DHT to tell")
        return taken

    async def provide_stat(self) -> ProvideStat:
        """How far announcing is. Raises NodeError where nothing is announced."""
        return await trio.to_thread.run_sync(self._providing().stat)

    async def clear_provide_queue(self) -> int:
        """Forget what was to be announced until the next sweep. Returns how many keys that were."""
        return await trio.to_thread.run_sync(self._providing().clear)

    def explain(self, cid: Cid) -> Closeable[Step]:
        """Iterate over the steps of finding a block, each with what came of it. May fetch that block."""
        online = self.online

        async def produce(send: Callable[[Step], Awaitable[None]]) -> None:
            await self.blocks.check(cid)
            await Explanation(self.store, online, cid, send).run()

        return self.run_stream(produce)

    def _router(self) -> Router:
        routing = self.online.routing
        if not routing.parts:
            raise NodeError("this node has no routing: set Routing.Type to auto, and start the daemon again")
        return routing

    def _providing(self) -> Provider:
        self._router()
        if self._provider is None:
            raise NodeError(
                "this node announces nothing: have Provide.Enabled true, Private false, Routing.Type auto, "
                "and start the daemon again"
            )
        return self._provider

    def _found(
        self, search: Callable[[Callable[[PeerInfo], None]], Awaitable[None]], count: int
    ) -> Closeable[PeerInfo]:
        """Hand out what a search finds until there is enough."""
        self.online  # noqa: B018 -- raises here and now, not when iterated

        async def produce(send: Callable[[PeerInfo], Awaitable[None]]) -> None:
            seen: set[PeerId] = set()
            into, out_of = trio.open_memory_channel[PeerInfo](count)

            def found(info: PeerInfo) -> None:
                if info.peer not in seen and len(seen) < count:
                    seen.add(info.peer)
                    into.send_nowait(info)

            async def run_search() -> None:
                with into:
                    await search(found)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(run_search)
                sent = 0
                async for info in out_of:
                    await send(info)
                    sent += 1
                    if sent == count:
                        break
                nursery.cancel_scope.cancel()

        return self.run_stream(produce)
