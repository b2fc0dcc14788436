"""Dialing others who ask, without being made to attack anybody."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import trio
from reach_world import ELSEWHERE, OURS, Addressed, World, bytes_of

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.fake import FakeInternet
from peershelf.protocols.reachability.allowance import MOST_OF_AN_ADDRESS
from peershelf.protocols.reachability.messages import (
    DIAL_REQUEST,
    MAX_MESSAGE,
    MOST_DATA,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Message,
    Question,
    Status,
)
from peershelf.protocols.reachability.service import LEAST_DATA, DialService, can_dial
from peershelf.protocols.reachability.streams import receive, send
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import FrameDecoder


class Asker:
    """Who asks a service, and what it has dialed."""

    def __init__(self, internet: FakeInternet) -> None:
        world = World(internet)
        self.dialed: list[tuple[PeerId, bytes, int]] = []
        self.result = Dialed.OK
        self.dial_takes = 1.0
        self._network = Addressed(world, internet.node("service"))
        self._asker = internet.node("asker")
        world.seen_at[self._asker.local_peer] = OURS
        internet.connect(self._asker, self._network._inner)
        DialService(self._network, self._dial, rng=random.Random(1)).start()

    async def _dial(self, peer: PeerId, address: bytes, nonce: int) -> Dialed:
        await trio.sleep(self.dial_takes)
        self.dialed.append((peer, address, nonce))
        return self.result

    async def ask(self, *addresses: bytes, piece: int = 4_096) -> tuple[Message | None, int]:
        """The answer, None if there was none, and how much data was sent for it."""
        stream = await self._asker.open_stream(self._network.local_peer, [DIAL_REQUEST])
        decoder, sent = FrameDecoder(MAX_MESSAGE), 0
        with suppress(NetworkError):
            await send(stream, Question(addresses, 77))
            message = await receive(stream, decoder)
            if isinstance(message, DataWanted):
                assert LEAST_DATA <= message.size <= MOST_DATA
                while sent < message.size:
                    await send(stream, Data(bytes(min(piece, message.size - sent))))
                    sent += min(piece, message.size - sent)
                message = await receive(stream, decoder)
            return message, sent
        return None, sent


async def test_an_asker_is_dialed_where_it_is_seen(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        assert await asker.ask(OURS) == (Answer(Status.OK, 0, Dialed.OK), 0)
        assert asker.dialed == [("asker", OURS, 77)]
        asker.result = Dialed.DIAL_ERROR
        assert await asker.ask(OURS) == (Answer(Status.OK, 0, Dialed.DIAL_ERROR), 0)


async def test_the_first_address_that_can_be_dialed_is(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        near, name = bytes_of("/ip4/10.0.0.1/tcp/1"), bytes_of("/dns4/a.example/tcp/1")
        answer, _ = await asker.ask(near, name, b"", OURS, ELSEWHERE)
        assert answer == Answer(Status.OK, 3, Dialed.OK)
        answer, _ = await asker.ask(near, name)
        assert answer == Answer(Status.DIAL_REFUSED)


async def test_to_have_another_address_dialed_costs_data(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        answer, sent = await asker.ask(ELSEWHERE)
        assert answer == Answer(Status.OK, 0, Dialed.OK)
        assert sent >= LEAST_DATA
        assert asker.dialed == [("asker", ELSEWHERE, 77)]


async def test_data_in_tiny_pieces_is_refused(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        assert (await asker.ask(ELSEWHERE, piece=99))[0] is None
        assert asker.dialed == []


async def test_who_asks_too_often_is_told_so(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        answers = [(await asker.ask(OURS))[0] for _ in range(20)]
        assert answers[MOST_OF_AN_ADDRESS:] == [Answer(Status.REJECTED)] * (20 - MOST_OF_AN_ADDRESS)
        assert len(asker.dialed) == MOST_OF_AN_ADDRESS
        await trio.sleep(60)
        assert (await asker.ask(OURS))[0] == Answer(Status.OK, 0, Dialed.OK)


async def test_a_peer_is_dialed_once_at_a_time(autojump_clock) -> None:
    async with FakeInternet().running() as internet, trio.open_nursery() as nursery:
        asker = Asker(internet)
        answers: list[Message | None] = []

        async def ask() -> None:
            answers.append((await asker.ask(OURS))[0])

        for _ in range(3):
            nursery.start_soon(ask)
        await trio.sleep(10)
        assert answers == [Answer(Status.REJECTED)] * 2 + [Answer(Status.OK, 0, Dialed.OK)]


async def test_a_silent_asker_is_let_go(autojump_clock) -> None:
    async with FakeInternet().running() as internet:
        asker = Asker(internet)
        await asker._asker.open_stream(asker._network.local_peer, [DIAL_REQUEST])
        await trio.sleep(1)
        assert asker._network.open_streams == 1
        await trio.sleep(31)
        assert asker._network.open_streams == 0
        assert (await asker.ask(OURS))[0] == Answer(Status.OK, 0, Dialed.OK)


@pytest.mark.parametrize(
    "address",
    [
        "/ip4/10.0.0.1/tcp/4001",
        "/ip4/127.0.0.1/tcp/4001",
        "/ip6/::1/tcp/4001",
        "/ip4/8.8.8.8/udp/53",
        "/ip4/8.8.8.8/tcp/0",
        "/ip4/8.8.8.8/tcp/4001/ws",
        "/ip4/8.8.8.8/tcp/4001/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV/p2p-circuit",
        "/dns4/example.com/tcp/4001",
        "/ip4/224.0.0.1/tcp/1",
    ],
)
def test_nothing_but_public_addresses_over_tcp_is_dialed(address) -> None:
    assert not can_dial(bytes_of(address))
    assert can_dial(OURS)
    assert can_dial(bytes_of("/ip6/2a00::1/tcp/1"))
