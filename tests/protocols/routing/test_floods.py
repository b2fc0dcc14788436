"""Strangers that ask and announce too much, or half of something: others are answered, and little is kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pytest
import trio
from kad_strangers import ask, flood, frame, stranger
from kad_world import ADDRESS, CID, Dialing, World, new_peer, world

from peershelf.protocols.errors import StreamReset
from peershelf.protocols.pacing.turns import Pacing
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.serving import IDLE, MAX_REQUEST, MOST_STREAMS, TIME, Serving
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import frame_header

FIND = Message(Kind.FIND_NODE, b"somewhere")
SOMEBODY = new_peer(random.Random(3))
GET = Message(Kind.GET_PROVIDERS, CID.multihash)


async def silent(stream, request):
    await trio.sleep_forever()


def connected(here: World, server: Dialing, count: int) -> list[Dialing]:
    made = [stranger(here, silent) for _ in range(count)]
    for one in made:
        here.internet.connect(one._inner, server._inner)
    return made


def announcements(peer: PeerId, keys: range) -> list[Message]:
    own = (Contact(peer, (ADDRESS,)),)
    return [Message(Kind.ADD_PROVIDER, b"\x12\x20" + key.to_bytes(32, "big"), providers=own) for key in keys]


async def an_honest_provider(here: World, server: Dialing) -> tuple[Dialing, Dht]:
    network, dht = await here.node()
    here.internet.connect(network._inner, server._inner)
    await trio.sleep(5)
    assert await dht.provide([CID.multihash]) >= 1
    return network, dht


async def provided(network: Dialing, server: Dialing) -> Sequence[Contact]:
    return (await ask(network, server.local_peer, GET)).providers


@pytest.mark.slow
async def test_100000_records_of_one_peer_leave_others_theirs_and_their_turn(autojump_clock):
    async with world() as here:
        server, dht = await here.node()
        honest, _ = await an_honest_provider(here, server)
        (flooder,) = connected(here, server, 1)
        over = False
        async with trio.open_nursery() as nursery:

            async def flood_all() -> None:
                nonlocal over
                await flood(flooder, server.local_peer, announcements(flooder.local_peer, range(100_000)))
                over = True

            nursery.start_soon(flood_all)
            for _ in range(5):
                assert (await ask(honest, server.local_peer, FIND)).kind is Kind.FIND_NODE
            assert not over
        assert [one.peer for one in await provided(honest, server)] == [honest.local_peer]
        assert len(dht._records) == 100_000


@pytest.mark.slow
async def test_1000_keys_of_each_of_120_peers_leave_others_theirs(autojump_clock):
    async with world() as here:
        server, dht = await here.node()
        honest, _ = await an_honest_provider(here, server)
        async with trio.open_nursery() as nursery:
            for number, flooder in enumerate(connected(here, server, 120)):
                keys = range(number * 1_000, (number + 1) * 1_000)
                nursery.start_soon(flood, flooder, server.local_peer, announcements(flooder.local_peer, keys))
        assert [one.peer for one in await provided(honest, server)] == [honest.local_peer]
        assert len(dht._records) == 100_000


class Endless:
    """A stream on which there is always something to read, which therefore never waits."""

    def __init__(self, data: bytes, times: int) -> None:
        self.peer = SOMEBODY
        self._data = data
        self._left = times

    async def receive_some(self, max_bytes: int) -> bytes:
        self._left -= 1
        return self._data if self._left >= 0 else b""

    async def send_all(self, data: bytes) -> None:
        pass

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("request_", [FIND, announcements(SOMEBODY, range(1))[0]], ids=["asking", "telling"])
async def test_between_any_two_requests_others_have_their_turn(autojump_clock, request_):
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        serving = Serving(
            lambda peer, message: message if message.kind is Kind.FIND_NODE else None,
            Pacing(TIME, lambda: 0.0),
        )
        await serving.handle(Endless(frame(request_) * 100, 10))
        nursery.cancel_scope.cancel()
    assert turns >= 900


async def opened(peer: Dialing, server: Dialing, data: bytes) -> Stream:
    stream = await peer._inner.open_stream(server.local_peer, [LAN.protocol])
    await stream.send_all(data)
    return stream


async def test_half_requests_on_many_streams_are_few_and_end(autojump_clock):
    """Of one peer so many are read at a time; another is answered as ever."""
    async with world() as here:
        server, _ = await here.node()
        attacker, honest = connected(here, server, 2)
        await trio.sleep(30)
        before = server._inner.open_streams
        for _ in range(300):
            with suppress(StreamReset):
                await opened(attacker, server, frame_header(MAX_REQUEST) + bytes(20_000))
        await trio.sleep(1)
        assert server._inner.open_streams - before == MOST_STREAMS
        assert (await ask(honest, server.local_peer, FIND)).kind is Kind.FIND_NODE
        await trio.sleep(IDLE + 5)
        assert server._inner.open_streams <= before
        assert (await ask(attacker, server.local_peer, FIND)).kind is Kind.FIND_NODE
        assert here.internet.failures == []


async def is_ended(stream: Stream, seconds: float) -> None:
    with trio.fail_after(seconds):
        while await stream.receive_some():
            pass


BROKEN = {
    "too large": frame_header(MAX_REQUEST + 1),
    "exabytes": b"\xff" * 8 + b"\x7f",
    "no length": b"\xff" * 12,
    "garbage": frame_header(200) + b"\xff" * 200,
    "a value to keep": frame(Message(Kind.PUT_VALUE, b"key", record=b"value")),
    "no key": frame(Message(Kind.FIND_NODE)),
    "another type": frame_header(2) + b"\x08\x09",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_request_costs_its_stream_at_once(autojump_clock, data):
    async with world() as here:
        server, _ = await here.node()
        (attacker,) = connected(here, server, 1)
        stream = await opened(attacker, server, data)
        with pytest.raises(StreamReset):
            await is_ended(stream, 1)
        assert (await ask(attacker, server.local_peer, FIND)).kind is Kind.FIND_NODE
        assert here.internet.failures == []


async def test_a_byte_every_few_seconds_costs_its_stream_after_a_minute(autojump_clock):
    async with world() as here:
        server, _ = await here.node()
        (attacker,) = connected(here, server, 1)
        stream = await opened(attacker, server, frame_header(1_000))
        start = trio.current_time()
        with pytest.raises(StreamReset):
            while True:
                await stream.send_all(b"x")
                await trio.sleep(3)
        assert trio.current_time() - start < IDLE + 5


async def test_who_takes_no_answers_loses_its_stream(autojump_clock):
    async with world() as here:
        server, dht = await here.node()
        for _ in range(40):
            dht.table.heard(Contact(here.network().local_peer, (ADDRESS * 64,)), trio.current_time())
        (attacker,) = connected(here, server, 1)
        await trio.sleep(30)
        before = server._inner.open_streams
        stream = await opened(attacker, server, frame(FIND) * 1_000)
        await trio.sleep(1)
        assert server._inner.open_streams == before + 1
        await trio.sleep(IDLE + 5)
        assert server._inner.open_streams <= before
        await stream.reset()


async def test_many_ask_at_once_and_all_are_answered(autojump_clock):
    async with world() as here:
        server, _ = await here.node()
        answers: list[Message] = []

        async def keep(peer: Dialing) -> None:
            answers.append(await ask(peer, server.local_peer, GET))

        async with trio.open_nursery() as nursery:
            for peer in connected(here, server, 100):
                for _ in range(MOST_STREAMS - 1):
                    nursery.start_soon(partial(keep, peer))
        assert len(answers) == 100 * (MOST_STREAMS - 1)


async def test_a_hundred_that_do_not_answer_do_not_keep_a_newcomer_out(autojump_clock):
    """Each is greeted, eight at a time, and waited for."""
    async with world() as here:
        server, dht = await here.node()
        connected(here, server, 100)
        newcomer, _ = await here.node()
        here.internet.connect(newcomer._inner, server._inner)
        await trio.sleep(100 / 8 * 10 + 20)
        assert [one.peer for one in dht.table] == [newcomer.local_peer]
        assert server._inner.open_streams == 0
