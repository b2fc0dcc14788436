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
    found = await addresses_of(peer, router)
    if set(found) - set(tried):
        return await host.connect_at(peer, found)
    if failure is not None:
        raise DialFailed(f"{failure}; nobody that could be asked knows another address")
    raise NodeError(f"{peer} was not found: nobody that could be asked knows where it is")


async def addresses_of(peer: PeerId, router: Router) -> tuple[str, ...]:
    """Where others say that `peer` is: the first answer that names an address; () if nobody knows one."""
    known: tuple[str, ...] = ()
    with trio.CancelScope() as enough:

        def note(info: PeerInfo) -> None:
            nonlocal known
            known = info.addresses
            if known:
                enough.cancel()

        await router.find_peer(peer, note)
    return known
