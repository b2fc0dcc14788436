"""Answering what other peers ask: who is near a place, and who has what. No I/O."""

from __future__ import annotations

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import key_of
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.transport import PeerId

MAX_PROVIDED_KEY = 80
"""Bytes of a multihash that somebody may have, as in go-libp2p-kad-dht."""


class Answerer:
    """Answers for one scope, from the routing table and the records that others have left here."""

    def __init__(self, scope: Scope, table: RoutingTable, records: ProviderRecords) -> None:
        self._scope = scope
        self._table = table
        self._records = records

    def answer(self, asker: PeerId, message: Message, now: float) -> Message | None:
        """Return the answer; None where none is due. Raises MalformedMessage for what makes no sense."""
        if message.kind is Kind.PING:
            return Message(Kind.PING, message.key)
        if not message.key:
            raise MalformedMessage("a request without a key")
        if message.kind in (Kind.ADD_PROVIDER, Kind.GET_PROVIDERS) and len(message.key) > MAX_PROVIDED_KEY:
            raise MalformedMessage(f"a key of {len(message.key)} bytes names no block")
        if message.kind is Kind.ADD_PROVIDER:
            self._take(asker, message, now)
            return None
        if message.kind is Kind.PUT_VALUE:
            raise MalformedMessage("values are not kept here")
        providers: tuple[Contact, ...] = ()
        if message.kind is Kind.GET_PROVIDERS:
            providers = tuple(self._records.get(message.key, now))
        return Message(message.kind, message.key, closer=self._closer(asker, message), providers=providers)

    def _closer(self, asker: PeerId, message: Message) -> tuple[Contact, ...]:
        return tuple(self._table.closest(key_of(message.key), K, leave_out=asker))

    def _take(self, asker: PeerId, message: Message, now: float) -> None:
        """Keep what a peer says of itself, and of nobody else; without an address it helps nobody."""
        for contact in message.providers:
            here = self._scope.contact(contact)
            if contact.peer == asker and here.addresses:
                self._records.add(message.key, here, now)
