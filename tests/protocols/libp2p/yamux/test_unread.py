"""Bytes that nobody reads, over several connections."""

from __future__ import annotations

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedStreamReset

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.libp2p.yamux.unread import SharedBudget

PEER = ID(b"somebody")


class Holder:
    """Holds bytes, and gives all of them up when it has to."""

    def __init__(self, shared: SharedBudget) -> None:
        self.unread = 0
        self.shared = shared
        self.shed = 0
        shared.join(self, self.drop)

    def hold(self, size: int) -> bool:
        self.unread += size
        self.shared.changed(self, size)
        return self.shared.make_room(self)

    def drop(self) -> None:
        self.shed += 1
        self.shared.changed(self, -self.unread)
        self.unread = 0


@pytest.fixture
def shared() -> SharedBudget:
    return SharedBudget(100)


def test_who_holds_most_makes_room(shared):
    small, large, new = Holder(shared), Holder(shared), Holder(shared)
    assert small.hold(20)
    assert large.hold(70)
    assert new.hold(30)
    assert (small.shed, large.shed, new.shed) == (0, 1, 0)
    assert shared.unread == 50


def test_who_holds_most_itself_is_told_to(shared):
    small, large = Holder(shared), Holder(shared)
    assert small.hold(20)
    assert not large.hold(90)
    assert (small.shed, large.shed) == (0, 0)


def test_who_cannot_make_room_does_not_hold_up_the_rest(shared):
    stubborn = Holder(shared)
    shared.join(stubborn, lambda: None)
    assert stubborn.hold(90)
    assert not Holder(shared).hold(20)


def test_who_has_left_counts_no_more(shared):
    gone, here = Holder(shared), Holder(shared)
    gone.hold(90)
    shared.leave(gone)
    shared.leave(gone)
    shared.changed(gone, -90)
    assert here.hold(100)
    assert shared.unread == 100


async def test_a_connection_loses_its_fullest_stream(connected, autojump_clock):
    shared = Shared(YamuxLimits(unread_in_all=100_000))
    (greedy, ours), (modest, ours_too) = await connected(shared), await connected(shared)
    streams = [await greedy.open_stream() for _ in range(2)]
    for stream, size in zip(streams, (20_000, 70_000), strict=True):
        await stream.write(bytes(size))
    small, full = [await ours.accept_stream() for _ in streams]
    await trio.sleep(1)
    await (await modest.open_stream()).write(bytes(40_000))
    await trio.sleep(1)
    with pytest.raises(MuxedStreamReset):
        await full.read()
    assert len(await small.read()) == 20_000
    assert len(await (await ours_too.accept_stream()).read()) == 40_000
    assert shared.unread.unread == 0
