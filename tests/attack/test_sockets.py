"""Strangers that connect, and leave or say nothing."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
import trio

MIB = 1 << 20
SOCKETS = 1_000
HALF_OPEN = 16
"""Of one address."""


async def connect_and_leave(secured_peer, number: int) -> None:
    async def one_after_another() -> None:
        for _ in range(number // 10):
            async with secured_peer():
                pass

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one_after_another)


@pytest.mark.slow
async def test_connections_that_come_and_go_use_nothing_up(siege, secured_peer):
    for _ in range(2):
        async with siege(memory=24 * MIB):
            await connect_and_leave(secured_peer, SOCKETS)


async def test_half_open_sockets_keep_nobody_out(siege, wire, secured_peer, many):
    """Of other addresses: those of one address push one another out."""
    half_open = partial(wire, source="127.0.0.9")
    async with siege(memory=24 * MIB) as watch, many(SOCKETS, half_open) as sockets:
        for tcp in sockets[::2]:
            with suppress(trio.BrokenResourceError):
                await tcp.write(b"\x13/multistream/1.0.0\n")
        report = await watch.report()
        assert report.tasks < 200
        assert report.descriptors < watch.descriptors_before + 2 * HALF_OPEN
        async with many(20, secured_peer):
            pass
        await watch.transferred.wait()
