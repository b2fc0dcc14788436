"""Asking one peer of a DHT, who is dialed if need be and remembered if it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from peershelf.protocols.multiaddrs import texts
from peershelf.protocols.routing.base import Network
from peershelf.protocols.routing.kad import rpc
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.routing.kad.table import RoutingTable
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream

Ask = Callable[[Contact], Awaitable[Sequence[Contact]]]
"""Asks one peer; returns the nearer peers that it told of. Raises NetworkError, trio.TooSlowError."""

ANSWER_TIMEOUT = 10.0
"""Seconds for reaching a peer and hearing its answer."""


class Asker:
    """The asking side of one scope's protocol; who answers enters the routing table."""

    def __init__(self, network: Network, scope: Scope, table: RoutingTable) -> None:
        self._network = network
        self._scope = scope
        self._table = table
        self.being_asked: set[PeerId] = set()
        """Whose answer is waited for."""
        self.messages_sent = 0

    async def nearer(self, contact: Contact, kind: Kind, key: bytes) -> Sequence[Contact]:
        """Return the peers nearer to a key that a peer tells of. Raises NetworkError, trio.TooSlowError."""
        return (await self.request(contact, Message(kind, key))).closer

    async def request(self, contact: Contact, request: Message) -> Message:
        """Ask a peer, and remember that it answered. Raises NetworkError, trio.TooSlowError."""
        self.being_asked.add(contact.peer)
        try:
            with trio.fail_after(ANSWER_TIMEOUT):
                async with self.stream(contact) as stream:
                    self.messages_sent += 1
                    answer = await rpc.ask(stream, request)
        finally:
            self.being_asked.discard(contact.peer)
        self._heard(contact)
        return answer

    def _heard(self, contact: Contact) -> None:
        known = self._scope.only(self._network.addresses_of(contact.peer)) or contact.addresses
        seen = self._network.seen_at(contact.peer)
        # Without an address it would be of no use to those whom we tell of it.
        if known and seen is not None and self._scope.lets_in(seen):
            group = self._scope.group(seen)
            self._table.heard(Contact(contact.peer, tuple(known)), trio.current_time(), group=group)

    @asynccontextmanager
    async def stream(self, contact: Contact) -> AsyncIterator[Stream]:
        """A stream to a peer, who is dialed if need be; reset unless all went well. Raises NetworkError.

        It is dialed where it was when it answered, too: whoever names it elsewhere would have it forgotten.
        """
        if contact.peer not in self._network.peers():
            addresses = dict.fromkeys((*self._table.addresses_of(contact.peer), *contact.addresses))
            await self._network.reach(contact.peer, texts(tuple(addresses)))
        async with ending(await self._network.open_stream(contact.peer, [self._scope.protocol])) as stream:
            yield stream
