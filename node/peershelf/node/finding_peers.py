"""Connecting to a peer that is named by its ID alone: where it is known to be, or where others say it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import trio

from peershelf.node.errors import NodeError
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.routing.base import PeerInfo, Router
from peershelf.protocols.transport import PeerId


class Host(Protocol):
    """What is asked of the libp2p host."""

    async def connect_at(self, peer: PeerId, addresses: Sequence[str]) -> None: ...


async def connect_by_id(host: Host, peer: PeerId, known: Iterable[str], router: Router) -> None:
    """Connect to `peer` at one of the addresses that are known here, or else at those that others know.

    Raises DialFailed, and NodeError where no address is found.
    """
    tried = tuple(dict.fromkeys(known))
    failure: DialFailed | None = None
    try:
        return await host.connect_at(peer, tried)
    except DialFailed as error:
        failure = error if tried else None
    asked, found = await ask_where(peer, router)
    if set(found) - set(tried):
        return await host.connect_at(peer, found)
    if failure is not None:
        raise DialFailed(f"{failure}; no other address was found")
    nobody = f"none of {asked} that were asked knows" if asked else "nobody could be asked"
    raise NodeError(f"{peer} was not found: {nobody} where it is")


async def ask_where(peer: PeerId, router: Router) -> tuple[int, tuple[str, ...]]:
    """Ask others where `peer` is, up to the first answer that names an address.

    Returns how many were asked, where all were, and the addresses; () if nobody knows one.
    """
    asked = 0
    known: tuple[str, ...] = ()
    with trio.CancelScope() as enough:

        def note(info: PeerInfo) -> None:
            nonlocal known
            known = info.addresses
            if known:
                enough.cancel()

        asked = await router.find_peer(peer, note)
    return asked, known
