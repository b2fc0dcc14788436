"""One lookup: asking peers that are nearer and nearer to a place, several at once, without I/O.

Theory of operation. Of all peers that it was told of, a lookup asks the nearest that it has not asked, up to
so many at a time. It has converged when the nearest few that are not known to fail have answered; for a
record that is to be put, all of the nearest k. Nothing that a peer says can keep it from ending: of one
answer only so many peers are taken, of all answers so many peers kept, the nearest, and so many asked. Nor
can one that tells of peers that are not there use this number up: see `trust`. Where a peer is several may
tell, so that one that names honest peers at wrong addresses keeps nobody from them: a peer that was not there
is asked again when it is said to be elsewhere.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from itertools import chain, islice, zip_longest

from peershelf.protocols.routing.kad.keys import Key, key_of_peer, shared_bits
from peershelf.protocols.routing.kad.messages import MAX_ADDRESSES, Contact
from peershelf.protocols.routing.kad.table import K
from peershelf.protocols.routing.kad.trust import Trust
from peershelf.protocols.transport import PeerId

CONCURRENCY = 10
"""Peers that are asked at a time."""
RESILIENCE = 3
"""How many of the nearest must have answered for a search to have converged."""
_MOST_KEPT = 1_024
_MOST_ASKED = 160
_TAKEN_FROM_AN_ANSWER = K


class _State(Enum):
    HEARD = auto()
    ASKED = auto()
    ANSWERED = auto()
    FAILED = auto()


class Lookup:
    """Whom to ask next, and when to stop.

    Args:
        own: this node, which is never asked.
        seeds: who is known to begin with.
        thorough: whether all of the nearest k have to answer, not only the nearest few.
    """

    def __init__(self, key: Key, own: PeerId, seeds: Iterable[Contact], *, thorough: bool = False) -> None:
        self._key = key
        self._own = own
        self._enough = K if thorough else RESILIENCE
        self._contacts: dict[PeerId, Contact] = {}
        self._states: dict[PeerId, _State] = {}
        self._order: list[tuple[int, PeerId]] = []
        """Everybody with the distance, nearest first."""
        self._elsewhere: dict[PeerId, PeerId | None] = {}
        """Of whom it was said meanwhile, by whom, that they are not only where they are being asked."""
        self._trust = Trust()
        self._in_flight = 0
        self.asked = 0
        """How many were asked in all."""
        self._hear(seeds, None)

    def next(self) -> list[Contact]:
        """Return whom to ask now; each is to be followed by answered() or failed()."""
        free = min(CONCURRENCY - self._in_flight, _MOST_ASKED - self.asked)
        if free <= 0 or self.done:
            return []
        chosen: list[Contact] = []
        for peer in self._nearest():
            if len(chosen) >= free:
                break
            if self._states[peer] is _State.HEARD and self._trust.may_ask(peer):
                self._states[peer] = _State.ASKED
                self._trust.asked(peer)
                chosen.append(self._contacts[peer])
        self.asked += len(chosen)
        self._in_flight += len(chosen)
        return chosen

    def answered(self, peer: PeerId, closer: Sequence[Contact]) -> None:
        """A peer that was asked has answered with peers that it holds to be nearer."""
        if self._states.get(peer) is _State.ASKED:
            self._states[peer] = _State.ANSWERED
            self._in_flight -= 1
            self._trust.answered(peer)
            self._hear(closer[:_TAKEN_FROM_AN_ANSWER], peer)

    def failed(self, peer: PeerId) -> None:
        """A peer that was asked could not be reached, or gave no answer that makes sense."""
        if self._states.get(peer) is _State.ASKED:
            self._states[peer] = _State.FAILED
            self._in_flight -= 1
            self._trust.failed(peer)
            if peer in self._elsewhere:
                self._revive(peer, self._elsewhere.pop(peer))

    @property
    def done(self) -> bool:
        """Whether the nearest have answered, or there is nobody left that may be asked."""
        nearest = islice(filter(self._stands, self._nearest()), self._enough)
        if all(self._states[peer] is _State.ANSWERED for peer in nearest):
            return True
        return not self._in_flight and not self._may_ask()

    def closest(self, count: int = K) -> list[Contact]:
        """Return the nearest peers that have answered, nearest first."""
        answered = [peer for peer in self._nearest() if self._states[peer] is _State.ANSWERED]
        return [self._contacts[peer] for peer in answered[:count]]

    def _stands(self, peer: PeerId) -> bool:
        state = self._states[peer]
        return self._trust.believed(peer) if state is _State.HEARD else state is not _State.FAILED

    def _may_ask(self) -> bool:
        heard = (peer for peer in self._nearest() if self._states[peer] is _State.HEARD)
        return self.asked < _MOST_ASKED and any(map(self._trust.believed, heard))

    def _nearest(self) -> Iterator[PeerId]:
        return (peer for _, peer in self._order)

    def _hear(self, contacts: Iterable[Contact], teller: PeerId | None) -> None:
        for contact in contacts:
            if contact.peer == self._own:
                continue
            if contact.peer not in self._contacts:
                self._contacts[contact.peer] = contact
                self._states[contact.peer] = _State.HEARD
                insort(self._order, (key_of_peer(contact.peer) ^ self._key, contact.peer))
            elif self._states[contact.peer] is not _State.ANSWERED:
                self._hear_where(contact, teller)
            if self._states[contact.peer] is _State.HEARD:
                self._trust.told(teller, contact.peer)
        if len(self._contacts) > _MOST_KEPT:
            self._forget_farthest()

    def _hear_where(self, contact: Contact, teller: PeerId | None) -> None:
        """A peer that is known is said to be somewhere, which may be news."""
        known = self._contacts[contact.peer]
        self._contacts[contact.peer] = merge(known, contact)
        if set(contact.addresses) <= set(known.addresses):
            return
        if self._states[contact.peer] is _State.ASKED:
            self._elsewhere[contact.peer] = teller
        elif self._states[contact.peer] is _State.FAILED:
            self._revive(contact.peer, teller)

    def _revive(self, peer: PeerId, teller: PeerId | None) -> None:
        self._states[peer] = _State.HEARD
        self._trust.forget(peer)
        self._trust.told(teller, peer)

    def _forget_farthest(self) -> None:
        """Of those not asked yet; who was asked has to be remembered, or would be asked again."""
        unasked = [peer for peer in self._nearest() if self._states[peer] is _State.HEARD]
        unasked.sort(key=self._stands, reverse=True)
        for peer in unasked[max(0, len(unasked) - (len(self._contacts) - _MOST_KEPT)) :]:
            del self._contacts[peer], self._states[peer]
            self._trust.forget(peer)
        self._order = [one for one in self._order if one[1] in self._contacts]


def merge(one: Contact, other: Contact) -> Contact:
    """Return a peer with the addresses that two tell, in turn; no more than one may have."""
    both = chain.from_iterable(zip_longest(one.addresses, other.addresses))
    addresses = dict.fromkeys(address for address in both if address is not None)
    return Contact(one.peer, tuple(islice(addresses, MAX_ADDRESSES)))


def covers(near: Sequence[Contact], searched: Key, place: Key) -> bool:
    """Whether the peers nearest to where was searched are those nearest to another place, too.

    So it is with places that have more leading bits in common with it than the farthest of them has; and with
    all places where there are no more peers than that.
    """
    if len(near) < K:
        return True
    farthest = min(shared_bits(key_of_peer(contact.peer), searched) for contact in near)
    return shared_bits(place, searched) > farthest
