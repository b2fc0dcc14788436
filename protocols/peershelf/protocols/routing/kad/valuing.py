"""Getting and putting values by the searches of a DHT, and giving the best one to peers that lack it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
import trio

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.base import FoundValue, Observe
from peershelf.protocols.routing.kad.asking import Ask
from peershelf.protocols.routing.kad.choice import Choice
from peershelf.protocols.routing.kad.lookup import Lookup
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.record import decode_record, encode_record
from peershelf.protocols.routing.kad.values import Values
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

log = structlog.get_logger(__name__)

_CORRECTIONS_WAITING = 16
_Correction = tuple[bytes, Value, Sequence[Contact]]

Request = Callable[[Contact, Message], Awaitable[Message]]
"""Asks a peer. Raises NetworkError, trio.TooSlowError."""


class Search(Protocol):
    """How a DHT searches for the peers nearest to a key."""

    async def __call__(
        self, key: bytes, ask: Ask, observe: Observe, enough: Callable[[], bool]
    ) -> Lookup: ...


class Valuing:
    """What a DHT does about values, on behalf of this node."""

    def __init__(self, own: PeerId, values: Values, search: Search, request: Request) -> None:
        self._own = own
        self._values = values
        self._search = search
        self._request = request
        self._to_correct, self._corrections = trio.open_memory_channel[_Correction](_CORRECTIONS_WAITING)

    async def get(self, key: bytes, found: FoundValue, observe: Observe) -> int:
        """Search for the value of a key; tells of each that is better than those before."""
        choice = Choice(key, self._values.check)
        lookup = await self._look(key, choice, found, observe, lambda: choice.enough)
        if choice.best is not None:
            self._correct(key, choice.best, choice.lacking(lookup.closest()))
        return lookup.asked

    async def put(self, key: bytes, value: Value, found: FoundValue) -> int:
        """Leave a checked value with the peers nearest to its key, unless they have a better one."""
        better = False

        def look_at(one: Value) -> None:
            nonlocal better
            if one.rank > value.rank:
                better = True
                found(one)

        choice = Choice(key, self._values.check)
        lookup = await self._look(key, choice, look_at, lambda outcome: None, lambda: better)
        if better:
            return 0
        self._values.put(self._own, key, value, trio.current_time())
        return await self._leave(key, value, lookup.closest())

    async def keep_correcting(self) -> None:
        """Give the best values to peers that had none or a worse one, until cancelled."""
        async for key, value, contacts in self._corrections:
            corrected = await self._leave(key, value, contacts)
            log.debug("dht_values_corrected", lacking=len(contacts), corrected=corrected)

    def _correct(self, key: bytes, value: Value, contacts: Sequence[Contact]) -> None:
        try:
            self._to_correct.send_nowait((key, value, contacts))
        except trio.WouldBlock:
            log.debug("dht_correction_left_out")

    async def _look(
        self, key: bytes, choice: Choice, found: FoundValue, observe: Observe, enough: Callable[[], bool]
    ) -> Lookup:
        kept = self._values.get(key, trio.current_time())
        if kept is not None and choice.offer(self._own, kept.value):
            found(kept.value)

        async def ask(contact: Contact) -> Sequence[Contact]:
            answer = await self._request(contact, Message(Kind.GET_VALUE, key))
            if choice.take(contact.peer, answer.record) and choice.best is not None:
                found(choice.best)
            return answer.closer

        lookup = await self._search(key, ask, observe, enough)
        if choice.invalid:
            log.debug("dht_invalid_values", answers=choice.invalid)
        return lookup

    async def _leave(self, key: bytes, value: Value, contacts: Sequence[Contact]) -> int:
        """Put a value with each of some peers; returns how many have taken it."""
        request = Message(Kind.PUT_VALUE, key, encode_record(key, value.data))
        taken = 0

        async def put(contact: Contact) -> None:
            nonlocal taken
            try:
                answer = await self._request(contact, request)
                taken += decode_record(answer.record or b"", key) == value.data
            except (NetworkError, trio.TooSlowError) as error:
                log.debug("dht_value_not_taken", peer=contact.peer, reason=str(error))

        async with trio.open_nursery() as nursery:
            for contact in contacts:
                nursery.start_soon(put, contact)
        return taken
