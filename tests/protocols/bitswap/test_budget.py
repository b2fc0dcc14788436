"""Memory for messages from strangers: bounded for each, bounded in all, and not to be hogged by stalling."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.protocols.bitswap.budget import InboundBudget
from peershelf.protocols.transport import PeerId

A, B, C = PeerId("A"), PeerId("B"), PeerId("C")


class GivenUp:
    """Remembers which messages were given up."""

    def __init__(self):
        self.names = []

    def __call__(self, name):
        return lambda: self.names.append(name)


async def test_a_peer_over_its_share_waits_until_it_has_given_some_back():
    budget = InboundBudget(per_peer=10, total=100)
    ticket = await budget.admit(A, 8, lambda: None)
    admitted = []

    async def admit():
        admitted.append(await budget.admit(A, 5, lambda: None))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(admit)
        await wait_all_tasks_blocked()
        assert not admitted
        (await budget.admit(B, 5, lambda: None)).release()
        ticket.release()
    assert admitted
    assert budget.used == 5


async def test_a_message_as_large_as_the_share_is_admitted_to_a_peer_that_has_nothing():
    budget = InboundBudget(per_peer=10, total=100)
    assert (await budget.admit(A, 12, lambda: None)).size == 12


async def test_releasing_twice_gives_back_once():
    budget = InboundBudget(per_peer=10, total=100)
    kept = await budget.admit(A, 5, lambda: None)
    ticket = await budget.admit(A, 5, lambda: None)
    ticket.release()
    ticket.release()
    assert budget.used == kept.size


async def test_over_the_total_whoever_has_most_gives_up_what_has_stalled_longest():
    given_up = GivenUp()
    budget = InboundBudget(per_peer=50, total=60)
    honest = await budget.admit(A, 10, given_up("honest"))
    stalled = [await budget.admit(B, 20, given_up(f"stalled {number}")) for number in range(2)]
    stalled[0].progress()
    await budget.admit(C, 15, given_up("new"))
    assert given_up.names == ["stalled 1"]
    assert budget.used == 45
    honest.taken()


async def test_a_message_that_has_arrived_is_not_given_up():
    given_up = GivenUp()
    budget = InboundBudget(per_peer=50, total=60)
    ticket = await budget.admit(A, 50, given_up("arrived"))
    ticket.taken()
    await budget.admit(B, 20, given_up("first"))
    await budget.admit(C, 10, given_up("second"))
    assert given_up.names == ["first"]


async def test_who_has_most_is_known():
    budget = InboundBudget(per_peer=10, total=100)
    assert budget.most() == ("", 0)
    first = await budget.admit(A, 3, lambda: None)
    second = await budget.admit(B, 5, lambda: None)
    assert budget.most() == (B, 5)
    second.release()
    assert budget.most() == (A, 3)
    first.release()
    assert budget.most() == ("", 0)
