"""Answering what other peers ask: who is near a place, who has what, and which value a key has. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import key_of
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.record import decode_record, encode_record
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.routing.kad.values import Values
from peershelf.protocols.transport import PeerId

MAX_PROVIDED_KEY = 80
"""Bytes of a multihash that somebody may have, as in go-libp2p-kad-dht."""


class Answerer:
    """Answers for one scope, from the routing table and from what others have left here.

    Args:
        network: returns what a peer has in common with others that may be the same person.
    """

    def __init__(
        self,
        scope: Scope,
        table: RoutingTable,
        records: ProviderRecords,
        values: Values,
        network: Callable[[PeerId], Hashable] = lambda peer: peer,
    ) -> None:
        self._scope = scope
        self._table = table
        self._records = records
        self._values = values
        self._network = network

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
            return self._keep(asker, message, now)
        providers: tuple[Contact, ...] = ()
        record: bytes | None = None
        if message.kind is Kind.GET_PROVIDERS:
            providers = tuple(self._records.get(message.key, now))
        elif message.kind is Kind.GET_VALUE and (kept := self._values.get(message.key, now)) is not None:
            record = encode_record(message.key, kept.value.data, kept.received)
        return Message(message.kind, message.key, record, self._closer(asker, message), providers)

    def _closer(self, asker: PeerId, message: Message) -> tuple[Contact, ...]:
        return tuple(self._table.closest(key_of(message.key), K, leave_out=asker))

    def _keep(self, asker: PeerId, message: Message, now: float) -> Message:
        """Keep a value. The answer has what is here then: the asker sees by it whether its own was taken."""
        data = decode_record(message.record or b"", message.key)
        here = self._values.get(message.key, now)
        value = here.value if here is not None and here.value.data == data else None
        if value is None:
            value = self._values.check(message.key, data)
        best = self._values.put(asker, message.key, value, now)
        return Message(Kind.PUT_VALUE, message.key, encode_record(message.key, best.data))

    def _take(self, asker: PeerId, message: Message, now: float) -> None:
        """Keep what a peer says of itself, and of nobody else; without an address it helps nobody."""
        for contact in message.providers:
            here = self._scope.contact(contact)
            if contact.peer == asker and here.addresses:
                self._records.add(message.key, here, now, self._network(asker))
