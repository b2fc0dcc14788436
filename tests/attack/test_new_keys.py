"""TLS peers that send nothing but new keys: records of 27 bytes that carry nothing for anybody but TLS."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

MIB = 1 << 20
RECORDS = 60_000
LONG = 1.0
"""Seconds over which the time of the victim's thread is counted; dealing with all records takes longer."""
MOST = 0.4
"""Part of it for the honest transfer and the attack together."""


@pytest.fixture
def connected(victim, handshakes, rekeying, tmp_path):
    """`await connected(tcp, asking=…)` shakes hands, and returns what such a peer then says."""

    async def connect(tcp, *, asking: bool) -> bytes:
        secret = await rekeying.shake_hands(tcp, tmp_path / "keys")
        return rekeying.key_updates(secret, RECORDS, asking=asking)

    return connect


async def say(tcp, records: bytes) -> None:
    with suppress(trio.BrokenResourceError):
        await tcp.write(records)


@pytest.mark.parametrize("asking", [False, True])
async def test_who_has_new_keys_without_end_is_cut_off(siege, victim, wire, connected, is_cut_off, asking):
    """Whether or not it asks for new keys of the other side."""
    async with siege(memory=24 * MIB) as watch, wire() as tcp, trio.open_nursery() as nursery:
        records = await connected(tcp, asking=asking)
        await watch.connected.wait()
        nursery.start_soon(say, tcp, records)
        share = await victim.thread_share(LONG)
        assert share < MOST, f"{share:.0%} of the thread"
        await is_cut_off(tcp)
