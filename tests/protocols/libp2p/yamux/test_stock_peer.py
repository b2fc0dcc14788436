"""Ours at one end, py-libp2p's own Yamux at the other: another reading of the same specification."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamEOF, MuxedStreamError
from libp2p.stream_muxer.yamux.yamux import Yamux

from peershelf.protocols.libp2p.yamux.driver import YamuxConnection

PEER = ID(b"\x00\x01x")
SIZE = 2_000_000


@pytest.fixture(params=["we dial", "it dials"])
def pair(request, secured_pair):
    """`async with pair() as (ours, stock)`, whichever of them dialed."""

    @asynccontextmanager
    async def run():
        ends = secured_pair()
        mine, other = ends if request.param == "we dial" else ends[::-1]
        connections = YamuxConnection(mine, PEER), Yamux(other, PEER)
        async with trio.open_nursery() as nursery:
            for one in connections:
                nursery.start_soon(one.start)
                await one.event_started.wait()
            with trio.fail_after(30):
                yield connections
            nursery.cancel_scope.cancel()

    return run


async def read_all(stream):
    received = b""
    while True:
        try:
            received += await stream.read(65_536)
        except MuxedStreamEOF:
            return received


@pytest.mark.parametrize("opener", [0, 1], ids=["we open", "it opens"])
async def test_bytes_go_both_ways_and_ends_are_seen(pair, opener):
    async with pair() as connections:
        first = await connections[opener].open_stream()
        second = await connections[1 - opener].accept_stream()
        for sender, receiver in ((first, second), (second, first)):
            data, received = secrets.token_bytes(SIZE), []

            async def send(sender=sender, data=data):
                await sender.write(data)
                await sender.close()

            async def receive(receiver=receiver, received=received):
                received.append(await read_all(receiver))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(send)
                nursery.start_soon(receive)
            assert received == [data]


async def test_resets_are_understood(pair):
    async with pair() as connections:
        for sender, receiver in (connections, connections[::-1]):
            first = await sender.open_stream()
            second = await receiver.accept_stream()
            await first.reset()
            with pytest.raises(MuxedStreamError):
                await second.read(1)


async def test_both_measure_a_round_trip(pair):
    async with pair() as (ours, stock):
        while not (ours.round_trip and stock.rtt()):  # noqa: ASYNC110 -- the stock one has no event for it
            await trio.sleep(0.02)


@pytest.mark.parametrize("leaver", [0, 1], ids=["we leave", "it leaves"])
async def test_a_goodbye_is_understood(pair, leaver):
    async with pair() as connections:
        await connections[leaver].close()
        with pytest.raises(MuxedConnUnavailable):
            await connections[1 - leaver].accept_stream()
