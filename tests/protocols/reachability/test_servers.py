"""How often a server is asked, and what it is given."""

from __future__ import annotations

from peershelf.protocols.reachability.case import Outcome
from peershelf.protocols.reachability.messages import MOST_DATA
from peershelf.protocols.reachability.servers import (
    BETWEEN,
    DATA_PAUSE,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Servers,
)
from peershelf.protocols.transport import PeerId

PEER = PeerId("peer")


def test_questions_to_one_server_keep_their_distance():
    servers = Servers()
    assert [servers.turn(PEER, 0.0) for _ in range(3)] == [0.0, BETWEEN, 2 * BETWEEN]
    assert servers.turn(PeerId("other"), 0.0) == 0.0
    assert servers.turn(PEER, 100.0) == 100.0


def test_who_is_of_no_use_is_left_alone_for_longer_each_time():
    servers, now, pauses = Servers(), 0.0, []
    for _ in range(12):
        servers.answered(PEER, Outcome.SILENT, now)
        start = now
        while not servers.usable(PEER, now):
            now += FIRST_PAUSE
        pauses.append(now - start)
    assert pauses[:3] == [60, 120, 240]
    assert pauses[-1] == LONGEST_PAUSE
    servers.answered(PEER, Outcome.NOT_REACHED, now)
    assert servers.usable(PEER, now)
    servers.answered(PEER, Outcome.UNPROVEN, now)
    assert servers.usable(PEER, now + FIRST_PAUSE)


def test_data_is_given_once_an_hour_and_within_bounds():
    servers = Servers()
    assert not servers.gives_data(PEER, MOST_DATA + 1, 0.0)
    assert not servers.gives_data(PEER, 0, 0.0)
    assert servers.gives_data(PEER, MOST_DATA, 0.0)
    assert not servers.gives_data(PEER, 1, DATA_PAUSE - 1)
    assert servers.gives_data(PeerId("other"), 1, 0.0)
    assert servers.gives_data(PEER, 1, DATA_PAUSE)


def test_of_many_servers_the_longest_ago_are_forgotten():
    servers = Servers()
    for number in range(10_000):
        servers.turn(PeerId(str(number)), 0.0)
        servers.answered(PeerId(str(number)), Outcome.SILENT, 0.0)
    assert len(servers._known) <= 256
    assert servers.usable(PeerId("1"), 0.0)
    assert not servers.usable(PeerId("9999"), 0.0)
