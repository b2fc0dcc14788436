"""How much is on order, or on its way, at a time: as much as keeps the line full."""

from __future__ import annotations

import pytest

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.ledger import Ledger
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.uplink import Uplink
from peershelf.protocols.bitswap.wantlist import Want
from peershelf.protocols.bitswap.window import Window
from peershelf.protocols.transport import PeerId

LIMITS = BitswapLimits()


def run_link(window: Window, size: int, rate: float, round_trip: float, seconds: float) -> float:
    """Order from a link as the window allows; return the bytes per second that came at the end."""
    now, free_at, came = 0.0, 0.0, 0
    orders: list[tuple[float, object]] = []
    while now < seconds:
        while len(orders) < window.blocks:
            free_at = max(free_at, now + round_trip / 2) + size / rate
            orders.append((free_at + round_trip / 2, window.ask(now)))
        arrives, ask = orders.pop(0)
        now = arrives
        window.delivered(ask, size, now)
        came += size * (now > seconds / 2)
    return came / (seconds / 2)


@pytest.mark.parametrize(
    ("size", "rate", "round_trip"),
    [
        (1_000_000, 1e8, 0.001),
        (20_000, 1e6, 0.02),
        (20_000, 1e7, 0.1),
        (4_000, 1e7, 0.1),
        (262_144, 1e6, 0.2),
    ],
)
def test_a_link_is_kept_full(size, rate, round_trip):
    assert run_link(Window(2, LIMITS), size, rate, round_trip, seconds=20) > 0.95 * rate


def test_the_window_stays_near_what_the_link_holds():
    window = Window(2, LIMITS)
    run_link(window, 20_000, 1e6, 0.1, seconds=20)
    # Six blocks are on their way at a time: five in the round trip, and the one being sent.
    assert 6 <= window.blocks <= 24


def test_the_window_has_bounds():
    window = Window(2, LIMITS)
    assert window.blocks == 2
    window.delivered(window.ask(0.0), 1_000_000, 100.0)
    assert window.blocks == 2
    for _ in range(1_000):
        window.delivered(window.ask(0.0), 4_096, 1e-9)
    assert window.blocks == LIMITS.window_most
    for _ in range(1_000):
        window.delivered(window.ask(0.0), 2_000_000, 1e-9)
    assert window.blocks * 2_000_000 <= LIMITS.window_bytes + 2_000_000


def test_latency_is_smoothed():
    window = Window(2, LIMITS)
    assert window.latency is None
    window.delivered(window.ask(0.0), 100, 1.0)
    assert window.latency == 1.0
    window.delivered(window.ask(1.0), 100, 3.0)
    assert 1.0 < window.latency < 2.0


def turn() -> Turn:
    want = Want(Block.create(b"x").cid, 1, have_only=False, send_dont_have=False, size=100_000)
    return Turn(PeerId("A"), (want,), 100_000, Ledger(LIMITS))


def test_turns_that_take_far_too_long_do_not_count():
    uplink = Uplink(LIMITS)
    stuck = [turn() for _ in range(4)]
    for each in stuck:
        assert uplink.has_room(0.0)
        uplink.started(each, 0.0)
    assert not uplink.has_room(0.0)
    assert not uplink.has_room(uplink.room_at(0.0) - 0.01)
    assert uplink.has_room(uplink.room_at(0.0))


def test_a_line_that_takes_more_turns_gets_more():
    uplink = Uplink(LIMITS)
    now = 0.0
    for _ in range(20):
        turns = []
        while uplink.has_room(now):
            turns.append(turn())
            uplink.started(turns[-1], now)
        now += 0.05
        for each in turns:
            uplink.ended(each, now, sent=True)
    assert len(turns) > 50
