"""The lookup over a simulated network of 500 nodes: some gone, some that lie."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from peershelf.protocols.routing.kad.keys import Key, key_of, key_of_peer, peer_from_bytes
from peershelf.protocols.routing.kad.lookup import CONCURRENCY, Lookup
from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.transport import PeerId


def peer(rng: random.Random) -> PeerId:
    return peer_from_bytes(b"\x00\x24\x08\x01\x12\x20" + rng.randbytes(32))


class Search(Lookup):
    """A lookup that knows whose answer was the last."""

    asked_last: PeerId | None = None


@dataclass
class Simulated:
    """Nodes with routing tables, of which some have left and some answer with lies."""

    rng: random.Random
    tables: dict[PeerId, RoutingTable] = field(default_factory=dict)
    gone: set[PeerId] = field(default_factory=set)
    liars: set[PeerId] = field(default_factory=set)
    accomplices: list[Contact] = field(default_factory=list)

    @classmethod
    def of(cls, count: int, *, gone: float, liars: float, seed: int) -> Simulated:
        rng = random.Random(seed)
        peers = [peer(rng) for _ in range(count)]
        world = cls(rng)
        for one in peers:
            table = world.tables[one] = RoutingTable(one)
            for other in rng.sample(peers, count):
                table.heard(Contact(other), 0.0)
        shuffled = rng.sample(peers, count)
        world.gone = set(shuffled[: int(count * gone)])
        world.liars = set(shuffled[int(count * gone) :][: int(count * liars)])
        world.accomplices = [Contact(one) for one in world.liars]
        return world

    def nearest(self, key: Key) -> list[PeerId]:
        """The nearest that are there and tell the truth."""
        honest = [one for one in self.tables if one not in self.gone | self.liars]
        return sorted(honest, key=lambda one: key_of_peer(one) ^ key)

    def answer(self, asked: PeerId, key: Key) -> Sequence[Contact] | None:
        if asked in self.gone or asked not in self.tables:
            return None
        if asked not in self.liars:
            return self.tables[asked].closest(key)
        # Liars name peers that do not exist, and one another.
        invented = [Contact(peer(self.rng)) for _ in range(K // 2)]
        return [*self.rng.sample(self.accomplices, K // 2), *invented]

    def search(self, start: PeerId, key: Key, is_enough: Callable[[PeerId], bool]) -> Search:
        """Search thoroughly until everybody near was asked, or one of whom is_enough() says so."""
        lookup = Search(key, start, self.tables[start].closest(key), thorough=True)
        waiting: deque[PeerId] = deque()
        while not lookup.done:
            asked = lookup.next()
            waiting += [contact.peer for contact in asked]
            assert len(waiting) <= CONCURRENCY
            assert waiting, "it is not done, and waits for nobody"
            self.rng.shuffle(waiting)
            one = waiting.popleft()
            closer = self.answer(one, key)
            lookup.asked_last = one
            if closer is None:
                lookup.failed(one)
            elif is_enough(one):
                break
            else:
                lookup.answered(one, closer)
        return lookup


def start_of(world: Simulated) -> PeerId:
    return world.rng.choice([one for one in world.tables if one not in world.gone | world.liars])


def test_of_500_nodes_a_fifth_gone_and_a_fifth_liars_what_is_provided_is_found() -> None:
    world = Simulated.of(500, gone=0.2, liars=0.2, seed=1)
    searches, found, messages = 100, 0, 0
    for number in range(searches):
        key = key_of(b"%d" % number)
        provided = world.search(start_of(world), key, lambda peer: False)
        holders = {contact.peer for contact in provided.closest()} - world.liars
        search = world.search(start_of(world), key, holders.__contains__)
        found += search.asked_last in holders
        messages += search.asked
    assert found >= 0.99 * searches
    assert messages / searches < 50


def test_everybody_there_and_honest_is_asked_little() -> None:
    world = Simulated.of(500, gone=0, liars=0, seed=2)
    for number in range(50):
        key, start = key_of(b"%d" % number), start_of(world)
        lookup = world.search(start, key, lambda peer: False)
        nearest = [one for one in world.nearest(key) if one != start][:K]
        # Nobody knows more than twenty at each distance, so one may be known to nobody who was asked.
        assert len({contact.peer for contact in lookup.closest()} & set(nearest)) >= K - 1
        assert lookup.asked <= 4 * K


def test_endless_nearer_peers_end() -> None:
    """A peer invents nearer and nearer peers, all of which answer in the same way."""
    rng = random.Random(3)
    target = key_of(b"target")
    lookup = Lookup(target, peer(rng), [Contact(peer(rng))], thorough=True)
    while not lookup.done:
        for contact in lookup.next():
            nearer = sorted(
                (Contact(peer(rng)) for _ in range(100)), key=lambda one: key_of_peer(one.peer) ^ target
            )
            lookup.answered(contact.peer, nearer)
    assert lookup.asked <= 160


def test_nobody_known_is_the_end_at_once() -> None:
    lookup = Lookup(1, peer(random.Random(4)), [])
    assert lookup.done
    assert lookup.next() == []
    assert lookup.closest() == []


def test_answers_that_nobody_asked_for_count_for_nothing() -> None:
    rng = random.Random(5)
    known, stranger = Contact(peer(rng)), Contact(peer(rng))
    lookup = Lookup(1, peer(rng), [known])
    lookup.answered(stranger.peer, [Contact(peer(rng))])
    lookup.failed(known.peer)
    assert lookup.next() == [known]
