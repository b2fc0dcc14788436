"""Answering what other peers ask: who is near a place, and who has what. No I/O."""

from __future__ import annotations

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import key_of
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.transport import PeerId


class Answerer:
    """Answers for one scope, from the routing table and the records that others have left here."""

    def __init__(self, scope: Scope, table: RoutingTable, records: ProviderRecords) -> None:
        self._scope = scope
        self._table = table
        self._records = records

    def answer(self, asker: PeerId, message: Message, now: float) -> Message | None:
        """Return the answer; None where none is due. Raises MalformedMessage for what makes no sense."""
        if message.kind is Kind.PING:
            return message
        if not message.key:
            raise MalformedMessage("a request without a key")
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
        near = self._table.closest(key_of(message.key), K + 1)
        return tuple(contact for contact in near if contact.peer != asker)[:K]

    def _take(self, asker: PeerId, message: Message, now: float) -> None:
        """Keep what a peer says of itself, and of nobody else."""
        for contact in message.providers:
            if contact.peer == asker:
                self._records.add(message.key, self._scope.contact(contact), now)
