"""Asking takes only so much of a server's time, however often; who asks little is answered at once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
import trio
from kad_strangers import ask, frame, stranger
from kad_world import Dialing, World, world

from peershelf.protocols.errors import StreamReset
from peershelf.protocols.pacing.turns import Pacing
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.messages import Kind, Message
from peershelf.protocols.routing.kad.serving import IDLE, MOST_STREAMS, TIME, Serving
from peershelf.protocols.transport import PeerId

FIND = Message(Kind.FIND_NODE, b"somewhere")
COST = 0.001


async def silent(stream, request):
    await trio.sleep_forever()


def asker(here: World, server: Dialing) -> Dialing:
    made = stranger(here, silent)
    here.internet.connect(made._inner, server._inner)
    return made


async def a_server(here: World) -> tuple[Dialing, Dht, Counter[PeerId]]:
    """One for which each answer takes a millisecond of CPU. The last is how often it has answered whom."""
    server, dht = await here.node()
    answered: Counter[PeerId] = Counter()
    inner = dht._serving._answer

    def answer(peer: PeerId, request: Message) -> Message | None:
        here.cpu += COST
        answered[peer] += 1
        return inner(peer, request)

    dht._serving._answer = answer
    return server, dht, answered


async def time_to_answer(asking: Dialing, server: Dialing) -> float:
    start = trio.current_time()
    assert (await ask(asking, server.local_peer, FIND)).kind is Kind.FIND_NODE
    return trio.current_time() - start


async def flood(peer: Dialing, server: Dialing, times: int, streams: int = 8) -> None:
    """Ask as often as that on each stream, all at once."""

    async def on_one() -> None:
        stream = await peer._inner.open_stream(server.local_peer, [LAN.protocol])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, frame(FIND) * times)
            left = times
            while left:
                left -= (await stream.receive_some()).count(frame(FIND)[1:])
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        for _ in range(streams):
            nursery.start_soon(on_one)


@pytest.mark.parametrize("identities", [1, 16])
async def test_all_who_ask_without_end_have_a_tenth_of_the_time_together(autojump_clock, identities):
    async with world() as here:
        server, _, answered = await a_server(here)
        peers = [asker(here, server) for _ in range(identities)]
        await trio.sleep(30)
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(flood, peer, server, 800 // identities)
        assert answered.total() == 6_400
        assert trio.current_time() - start == pytest.approx(6_400 * COST / 0.1, rel=0.05)


async def test_who_asks_little_is_answered_at_once_meanwhile(autojump_clock):
    async with world() as here:
        server, _, answered = await a_server(here)
        honest, *peers = (asker(here, server) for _ in range(17))
        usual = await time_to_answer(honest, server)
        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(flood, peer, server, 50)
            await trio.sleep(10)
            for _ in range(50):
                assert await time_to_answer(honest, server) == pytest.approx(usual)
                await trio.sleep(0.5)
            assert answered[peers[0].local_peer] < 400


@pytest.mark.parametrize("is_own_debt", [True, False])
async def test_who_waits_for_its_turn_is_not_idle(autojump_clock, is_own_debt):
    async with world() as here:
        server, dht, _ = await a_server(here)
        peer, other = asker(here, server), asker(here, server)
        await trio.sleep(30)
        start = trio.current_time()
        stream = await peer._inner.open_stream(server.local_peer, [LAN.protocol])
        await trio.sleep(1)
        if is_own_debt:
            dht._serving._pacing._debts.charge(peer.local_peer, 2 * IDLE * TIME.share, trio.current_time())
        else:
            dht._serving._pacing.charge(other.local_peer, 2 * IDLE * TIME.share_all)
        await stream.send_all(frame(FIND))
        if is_own_debt:
            assert await time_to_answer(other, server) < 0.1
        assert await stream.receive_some()
        assert trio.current_time() - start > 1.9 * IDLE
        await stream.aclose()


async def test_breaking_the_protocol_is_paid_for(autojump_clock):
    async with world() as here:
        server, _, _ = await a_server(here)
        peer, other = asker(here, server), asker(here, server)
        await trio.sleep(30)
        start = trio.current_time()
        for _ in range(100):
            stream = await peer._inner.open_stream(server.local_peer, [LAN.protocol])
            with suppress(StreamReset):
                await stream.send_all(b"\xff" * 12)
                await stream.receive_some()
        assert trio.current_time() - start > 0.9 * 100 * TIME.broken / TIME.share
        assert await time_to_answer(other, server) < 0.1


class Slow:
    """A stream on which each request comes by itself, and sending its answer takes CPU time."""

    def __init__(self, here: Counter[str], times: int) -> None:
        self.peer = PeerId("somebody")
        self._here = here
        self._left = times

    async def receive_some(self, max_bytes: int) -> bytes:
        self._left -= 1
        return frame(FIND) if self._left >= 0 else b""

    async def send_all(self, data: bytes) -> None:
        self._here["ms"] += 1

    async def aclose(self) -> None:
        pass

    async def reset(self) -> None:
        pass


def serving_for(used: Counter[str]) -> Serving:
    return Serving(lambda peer, request: request, Pacing(TIME, lambda: used["ms"] / 1_000))


async def test_what_lies_around_an_answer_is_charged_too(autojump_clock):
    used: Counter[str] = Counter()
    start = trio.current_time()
    await serving_for(used).handle(Slow(used, 1_000))
    assert trio.current_time() - start == pytest.approx(1.0 / TIME.share, rel=0.1)


async def test_who_is_cancelled_while_it_waits_leaves_nothing_behind(autojump_clock):
    used: Counter[str] = Counter()
    serving = serving_for(used)
    with trio.move_on_after(3):
        async with trio.open_nursery() as nursery:
            for _ in range(MOST_STREAMS):
                nursery.start_soon(serving.handle, Slow(used, 1_000))
    assert 250 < used["ms"] < 400
    assert not serving._streams
    assert not serving._pacing._paces
    assert not serving._pacing._crowd._waiting


async def test_peers_at_one_address_count_as_one(autojump_clock):
    async with world() as here:
        server, dht, _ = await a_server(here)
        one, other, far = (asker(here, server).local_peer for _ in range(3))
        here.seen_at[far] = b"\x04\x08\x08\x08\x08\x06\x0f\xa1"
        place = dht._serving._pacing._crowd._neighbourhood
        assert place(one) == place(other) != place(far)
        assert place(PeerId("gone")) == PeerId("gone")
