"""Every way of finding that the configuration names, used as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from peershelf.blockstore.cid import Cid
from peershelf.node.errors import ConfigError
from peershelf.protocols.routing.base import Found, FoundValue, Network, Observe, Router, ignore
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.kad import LAN, WAN, Dht, new_pacing
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId


class Part(Router, Protocol):
    """One way of finding, which has something to do meanwhile."""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Do it until cancelled."""


class Routing(Router):
    """Asks all of its parts at once."""

    def __init__(self, parts: Sequence[Part], *, turning: Dht | None = None) -> None:
        self.parts = parts
        self._turning = turning

    def reachable(self, is_so: bool) -> None:
        """The world can reach this node, or no longer can: with auto, it serves the world or does not."""
        if self._turning is not None:
            self._turning.serve(is_so)

    def own(self) -> Routing:
        """Without others' routers, to search on behalf of others: two could ask each other for ever."""
        return Routing([part for part in self.parts if not isinstance(part, DelegatedRouter)])

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the parts until cancelled."""
        async with trio.open_nursery() as nursery:
            for part in self.parts:
                await nursery.start(part.run)
            task_status.started()

    @property
    def name(self) -> str:
        return ", ".join(part.name for part in self.parts)

    async def find_providers(self, cid: Cid, found: Found, observe: Observe = ignore) -> int:
        def ask(part: Router) -> Awaitable[int]:
            return part.find_providers(cid, found, lambda outcome: observe(f"{part.name}: {outcome}"))

        return await self._sum(ask)

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        return await self._sum(lambda part: part.find_peer(peer, found))

    async def provide(self, keys: Sequence[bytes]) -> int:
        return await self._sum(lambda part: part.provide(keys))

    async def get_value(self, key: bytes, found: FoundValue, observe: Observe = ignore) -> int:
        best: Value | None = None

        def note(value: Value) -> None:
            nonlocal best
            if best is None or value.rank > best.rank:
                best = value
                found(value)

        return await self._sum(lambda part: part.get_value(key, note, observe))

    async def put_value(self, key: bytes, value: Value, found: FoundValue) -> int:
        return await self._sum(lambda part: part.put_value(key, value, found))

    async def _sum(self, use: Callable[[Router], Awaitable[int]]) -> int:
        results: list[int] = []

        async def add(part: Router) -> None:
            results.append(await use(part))

        async with trio.open_nursery() as nursery:
            for part in self.parts:
                nursery.start_soon(add, part)
        return sum(results)


def routing_of(kind: str, network: Network, routers: Sequence[str], *, serve: bool = True) -> Routing:
    """Return what `Routing.Type` names. It answers others, unless without `serve` or as a client only.

    With auto, this node serves the peers around it, and the world as long as that is known to reach it.
    `routers` are the URLs of delegated routers, who are asked with auto and delegated.

    Raises ConfigError if only they are to be asked, and there are none.
    """
    if kind == "none":
        return Routing(())
    delegated = [DelegatedRouter(url, network.local_peer) for url in dict.fromkeys(routers)]
    if kind == "delegated":
        if not delegated:
            raise ConfigError(
                "Routing.Type is delegated, and Routing.DelegatedRouters names nobody: "
                "`node config set` routers there, or Routing.Type to auto"
            )
        return Routing(delegated)
    pacing = new_pacing(network)
    near = Dht(network, LAN, serve=serve and kind != "dhtclient", pacing=pacing)
    world = Dht(network, WAN, serve=serve and kind == "dhtserver", pacing=pacing)
    if kind == "auto":
        return Routing([near, world, *delegated], turning=world if serve else None)
    return Routing([near, world])
