"""Which connections are closed when there are too many."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.table import surplus

LIMITS = HostLimits(low_water=2, high_water=4, grace=10)


@dataclass(eq=False)
class Link:
    opened: float
    is_idle: bool = True


def test_up_to_the_high_water_mark_nobody_goes():
    assert surplus([Link(0) for _ in range(4)], LIMITS, now=1_000) == []


def test_above_it_the_oldest_go_down_to_the_low_water_mark():
    links = [Link(opened) for opened in (5, 3, 1, 4, 2)]
    assert [link.opened for link in surplus(links, LIMITS, now=1_000)] == [1, 2, 3]


def test_those_in_use_and_those_that_have_just_come_stay():
    links = [Link(1, is_idle=False), Link(995), Link(996), Link(997), Link(2)]
    assert surplus(links, LIMITS, now=1_000) == [links[4]]


def test_water_marks_the_wrong_way_round_are_refused():
    with pytest.raises(LocalProtocolError, match="5 is above 4"):
        HostLimits(low_water=5, high_water=4)
