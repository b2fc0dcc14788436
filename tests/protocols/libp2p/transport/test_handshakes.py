"""What handshakes cost, and who waits for that."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.transport.handshakes import Handshakes

GREEDY, MODEST = "8.8.8.8", "8.8.4.4"


@pytest.fixture
async def handshakes() -> Handshakes:
    return Handshakes(HostLimits(handshake_share=0.1, handshakes_share=0.15, handshake_ahead=0.1))


async def waits(handshakes: Handshakes, host: str) -> float:
    """Seconds until an address may have its next handshake."""
    start = trio.current_time()
    await handshakes.rest(host)
    return trio.current_time() - start


async def test_a_few_do_not_wait(handshakes, autojump_clock):
    for _ in range(49):
        handshakes.charge(GREEDY, 0.002)
    assert await waits(handshakes, GREEDY) == 0
    handshakes.charge(GREEDY, 0.004)
    assert await waits(handshakes, GREEDY) == pytest.approx(0.02)


async def test_a_flood_takes_its_share_and_no_more(handshakes, autojump_clock):
    start = trio.current_time()
    for _ in range(1_050):
        await handshakes.rest(GREEDY)
        handshakes.charge(GREEDY, 0.002)
    assert trio.current_time() - start == pytest.approx(20, rel=0.01)


async def test_others_do_not_wait_for_it(handshakes, autojump_clock):
    handshakes.charge(GREEDY, 5.0)
    handshakes.charge(MODEST, 0.05)
    assert await waits(handshakes, MODEST) == 0
    assert await waits(handshakes, "1.1.1.1") == 0


async def test_several_floods_share(handshakes, autojump_clock):
    for host in ("1.1.1.1", "2.2.2.2", "3.3.3.3"):
        handshakes.charge(host, 1.1)
    handshakes.charge("1.1.1.1", 0.05)
    assert await waits(handshakes, "1.1.1.1") == pytest.approx((1.15 - 0.1) / 0.05)


async def test_one_ipv6_customer_is_one_address(handshakes, autojump_clock):
    handshakes.charge("2606:4700::1", 0.2)
    assert await waits(handshakes, "2606:4700::2") > 0
    assert await waits(handshakes, "2606:4700:0:1::1") == 0


async def test_who_has_paid_is_forgotten_and_of_debtors_the_oldest(handshakes, autojump_clock):
    for number in range(1_024):
        handshakes.charge(f"9.9.{number // 256}.{number % 256}", 1.0)
    handshakes.charge(GREEDY, 1.0)
    assert await waits(handshakes, "9.9.0.0") == 0
    assert await waits(handshakes, "9.9.0.1") > 0
