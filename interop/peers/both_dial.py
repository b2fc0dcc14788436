"""We and another's node dial each other at the same moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from peershelf.protocols.libp2p.duplicates import is_smaller


async def host_beside(peer_id: str, host: Callable[[], Awaitable[Any]], *, smaller: bool) -> Any:
    """Start hosts of ours until one has a peer ID smaller, or greater, than that of the other node."""
    while True:
        ours = await host()
        if is_smaller(ours.local_peer, peer_id) == smaller:
            return ours


async def both_dial(node: Any, ours: Any) -> bool:
    """Dial it once its own dial has reached us. Returns whether there were two connections."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.connect, ours.addresses()[0])
        while not ours._transport._streams:
            await trio.lowlevel.checkpoint()
        nursery.start_soon(ours.connect, node.address)
    return len(ours.connections()) > 1


async def part(node: Any, ours: Any, eventually: Callable[..., Awaitable[Any]]) -> None:
    """End what is between the two, sockets and all."""
    await ours.disconnect(node.peer_id)
    await eventually(lambda: not ours._transport._streams)
