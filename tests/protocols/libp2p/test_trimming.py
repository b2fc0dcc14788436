"""Which connections are closed when there are too many."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
from echoing import ECHO, echo

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.trimming import Protection, Trimmer, rested, surplus

LIMITS = HostLimits(low_water=2, high_water=4, grace=10, resting=2, rest=60)
NOW = 1_000.0


@dataclass(eq=False)
class Link:
    since: float
    is_idle: bool = True
    last_used: float = 0.0
    wanted: bool = False
    is_outbound: bool = True
    peer: str = "somebody"


def trimmed(links, *protected):
    protection = Protection()
    for peer in protected:
        protection.add(peer, "test")
    return surplus(links, protection, LIMITS, NOW)


def test_what_a_search_left_behind_goes_but_for_those_used_last():
    used = [Link(1, last_used=time) for time in (NOW - 300, NOW - 61, NOW - 100, NOW - 200)]
    assert rested(used, Protection(), LIMITS, NOW) == [used[3], used[0]]


def test_not_before_it_has_rested():
    links = [Link(NOW - 59), Link(1, last_used=NOW - 59), Link(1), Link(1)]
    assert rested(links, Protection(), LIMITS, NOW) == links[2:]


@pytest.mark.parametrize("change", [{"is_outbound": False}, {"is_idle": False}, {"wanted": True}])
def test_what_somebody_may_have_use_for_stays(change):
    assert rested([Link(1, **change) for _ in range(9)], Protection(), LIMITS, NOW) == []


def test_what_is_protected_stays():
    protection = Protection()
    protection.add("somebody", "test")
    assert rested([Link(1) for _ in range(9)], protection, LIMITS, NOW) == []


def test_up_to_the_high_water_mark_nobody_goes():
    assert trimmed([Link(0) for _ in range(4)]) == []


def test_above_it_the_oldest_go_down_to_the_low_water_mark():
    links = [Link(since) for since in (5, 3, 1, 4, 2)]
    assert [link.since for link in trimmed(links)] == [1, 2, 3]


def test_those_that_have_just_come_stay():
    links = [Link(994), Link(995), Link(996), Link(997), Link(2)]
    assert trimmed(links) == [links[4]]


def test_those_least_recently_used_go_before_the_older_ones():
    links = [
        Link(1, last_used=50),
        Link(2, last_used=40),
        Link(3, last_used=10),
        Link(4),
        Link(5, last_used=60),
    ]
    assert trimmed(links) == [links[3], links[2], links[1]]


def test_idle_ones_go_before_those_with_streams():
    links = [
        Link(1, is_idle=False),
        *(Link(since, last_used=900) for since in (2, 3, 4)),
        Link(5, is_idle=False),
    ]
    assert trimmed(links) == links[1:4]


def test_streams_over_which_nothing_moves_hold_no_place():
    links = [Link(since, is_idle=False, last_used=since) for since in range(1, 6)]
    assert trimmed(links) == links[:3]


def test_those_carrying_data_go_only_as_far_as_the_high_water_mark():
    links = [Link(since, is_idle=False, last_used=990 + since) for since in range(1, 7)]
    assert trimmed(links) == links[:2]


def test_those_that_a_user_asked_for_go_last():
    links = [Link(since, wanted=since <= 3) for since in (1, 2, 3, 4, 5)]
    assert trimmed(links) == [links[3], links[4], links[0]]


def test_protected_peers_never_go():
    links = [Link(since, peer=f"peer {since}") for since in (1, 2, 3, 4, 5)]
    assert trimmed(links, "peer 1", "peer 2", "peer 4") == [links[2], links[4]]


def test_protection_lasts_until_every_reason_is_gone():
    protection = Protection()
    protection.add("a", "one")
    protection.add("a", "two")
    protection.add("a", "two")
    assert protection.remove("a", "two")
    assert "a" in protection
    assert not protection.remove("a", "one")
    assert "a" not in protection
    assert not protection.remove("a", "one")


async def test_trimming_does_not_wait_for_its_turn_when_there_are_too_many(autojump_clock, nursery):
    times = []
    trimmer = Trimmer(lambda: times.append(trio.current_time() - start))
    start = trio.current_time()
    nursery.start_soon(trimmer.run)
    await trio.sleep(1)
    trimmer.high_water_crossed()
    await trio.sleep(7)
    assert times == pytest.approx([1, 6])


def test_water_marks_the_wrong_way_round_are_refused():
    with pytest.raises(LocalProtocolError, match="5 is above 4"):
        HostLimits(low_water=5, high_water=4)


async def test_a_host_trims_at_once_and_keeps_the_protected_and_the_wanted(host, eventually):
    hub = await host(limits=HostLimits(low_water=2, high_water=3, grace=0))
    others = [await host() for _ in range(4)]
    hub.protect(others[0].local_peer, "test")
    await others[0].connect(hub.addresses()[0])
    await hub.connect(others[1].addresses()[0])
    for other in others[2:]:
        await other.connect(hub.addresses()[0])
    with trio.fail_after(3):
        await eventually(lambda: len(hub.connections()) == 2)
    assert set(hub.peers()) == {others[0].local_peer, others[1].local_peer}


async def test_data_on_a_stream_makes_a_connection_used_and_pings_of_the_muxer_do_not(host, eventually):
    a, b = await host(), await host()
    b.handle([ECHO], echo)
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, [ECHO])
    await trio.testing.wait_all_tasks_blocked()
    (ours,), (theirs,) = a._keeper.table, b._keeper.table
    before = ours.last_used, theirs.last_used
    await trio.sleep(0.01)
    assert (ours.last_used, theirs.last_used) == before
    await stream.send_all(b"x")
    await stream.receive_some()
    assert ours.last_used > before[0]
    assert theirs.last_used > before[1]
    await stream.aclose()
