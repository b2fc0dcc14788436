"""Searches among liars: they end, and find what honest peers know."""

from __future__ import annotations

import random

import pytest
import trio
from kad_strangers import frame, invented, knows, stranger
from kad_world import ADDRESS, CID, World, providers, world

from peershelf.protocols.routing.kad import WAN, Dht
from peershelf.protocols.routing.kad.keys import key_of, key_of_peer
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Contact, Kind, Message, encode
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import encode_frame, frame_header

KEY = key_of(CID.multihash)
LIARS = 9


async def seeker_and_holder(here: World) -> tuple[Dht, PeerId, PeerId]:
    """A node that knows one who knows who holds the record of a third; returns it and the latter two.

    The holder is in the half that is far from the key, so that liars can name others that are nearer.
    """
    (_, seeker), (between, knowing) = await here.node(), await here.node()
    holder, holding = await here.node()
    while not (key_of_peer(holder.local_peer) ^ KEY) >> 255:
        holder, holding = await here.node()
    provider = here.network().local_peer
    holding._records.add(CID.multihash, Contact(provider, (ADDRESS,)), trio.current_time())
    knows(seeker, between.local_peer)
    knows(knowing, holder.local_peer)
    return seeker, holder.local_peer, provider


def connect_liars(here: World, seeker: Dht, say, *, count: int = LIARS) -> None:
    """They are near, and so the first to answer."""
    for _ in range(count):
        liar = stranger(here, say)
        here.internet.connect(seeker._network._inner, liar._inner, latency=0.001)
        knows(seeker, liar.local_peer)


async def test_false_providers_do_not_drown_out_the_true_one(autojump_clock):
    """Who searches dials the first 64 that are found."""
    rng = random.Random(11)
    async with world() as here:
        seeker, holder, provider = await seeker_and_holder(here)

        async def lie(stream, request):
            named = tuple(invented(rng, 64, KEY, holder))
            await stream.send_all(frame(Message(request.kind, providers=named)))

        connect_liars(here, seeker, lie)
        found = await providers(seeker)
        assert len(found) == LIARS * 64 + 1
        assert provider in list(found)[:64]


@pytest.mark.parametrize("hangs", [False, True], ids=["refused at once", "no answer"])
async def test_made_up_peers_near_the_key_do_not_use_the_search_up(autojump_clock, hangs):
    """There would be 180 of them, all nearer than who knows, and more than a search asks."""
    rng = random.Random(12)
    async with world() as here:
        here.dial_takes = 1_000.0 if hangs else 0.05
        seeker, holder, provider = await seeker_and_holder(here)

        async def lie(stream, request):
            await stream.send_all(frame(Message(request.kind, closer=tuple(invented(rng, 20, KEY, holder)))))

        connect_liars(here, seeker, lie)
        start = trio.current_time()
        assert list(await providers(seeker)) == [provider]
        assert trio.current_time() - start < 120


async def test_endless_nearer_peers_that_are_there_end(autojump_clock):
    """Each names twenty others, all of which are there and do the same; who is honest was asked by then."""
    async with world() as here:
        (_, seeker), (between, knowing) = await here.node(), await here.node()
        provider = here.network().local_peer
        knowing._records.add(CID.multihash, Contact(provider, (ADDRESS,)), trio.current_time())
        knows(seeker, between.local_peer)

        async def lie(stream, request):
            if len(here.networks) < 2_000:
                crowd = [stranger(here, lie).local_peer for _ in range(20)]
                named = tuple(Contact(peer, (ADDRESS,)) for peer in crowd)
                await stream.send_all(frame(Message(request.kind, closer=named)))
            else:
                await stream.send_all(frame(Message(request.kind)))

        connect_liars(here, seeker, lie, count=3)
        start = trio.current_time()
        before = seeker.messages_sent
        assert list(await providers(seeker)) == [provider]
        assert seeker.messages_sent - before <= 160
        assert len(here.networks) > 160
        assert trio.current_time() - start < 60


@pytest.mark.parametrize("latency", [0.01, 1.0], ids=["while it is dialed there", "later"])
async def test_who_names_honest_peers_at_wrong_addresses_keeps_nobody_from_them(autojump_clock, latency):
    async with world() as here:
        here.dial_takes = 1.0
        (_, seeker), (between, knowing) = await here.node(), await here.node()
        (holder, holding), provider = await here.node(), here.network().local_peer
        holding._records.add(CID.multihash, Contact(provider, (ADDRESS,)), trio.current_time())
        here.only_at[holder.local_peer] = ADDRESS
        knows(knowing, holder.local_peer)
        here.internet.connect(seeker._network._inner, between._inner, latency=latency)
        knows(seeker, between.local_peer)

        async def lie(stream, request):
            wrong = Contact(holder.local_peer, (ADDRESS[:-1] + b"\x01",))
            await stream.send_all(frame(Message(request.kind, closer=(wrong,))))

        connect_liars(here, seeker, lie)
        assert list(await providers(seeker)) == [provider]


async def test_who_comes_as_many_and_does_not_answer_keeps_nobody_from_the_table(autojump_clock):
    async def say_nothing(stream, request):
        await trio.sleep_forever()

    async with world() as here:
        (own, dht), (honest, _) = await here.node(scope=WAN), await here.node(scope=WAN)
        for last in range(40):
            silent = stranger(here, say_nothing, protocol=WAN.protocol)
            here.seen_at[silent.local_peer] = bytes([4, 8, 8, 8, last, 6, 15, 161])
            here.internet.connect(own._inner, silent._inner)
        public = bytes([4, 9, 9, 9, 9, 6, 15, 161])
        here.seen_at[honest.local_peer] = public
        here.claims[honest.local_peer] = [public]
        here.internet.connect(own._inner, honest._inner)
        await trio.sleep(5)
        assert honest.local_peer in dht.table


async def test_a_peer_in_the_table_that_is_named_at_a_wrong_address_stays_there(autojump_clock):
    async with world() as here:
        (_, seeker), (known, _) = await here.node(), await here.node()
        here.only_at[known.local_peer] = ADDRESS
        knows(seeker, known.local_peer)
        wrong = Contact(known.local_peer, (ADDRESS[:-1] + b"\x01",))
        await seeker._asker.request(wrong, Message(Kind.FIND_NODE, b"key"))
        assert known.local_peer in seeker.table


async def another_type(stream, request):
    await stream.send_all(frame(Message(Kind.PING, request.key)))


async def byte_by_byte(stream, request):
    answer = frame(Message(request.kind, CID.multihash, record=bytes(1_000)))
    for byte in answer:
        await stream.send_all(bytes([byte]))
        await trio.sleep(3)


async def giant(stream, request):
    await stream.send_all(frame(Message(request.kind, record=bytes(MAX_MESSAGE - 100))))


async def too_large(stream, request):
    await stream.send_all(frame_header(MAX_MESSAGE + 1) + bytes(100_000))
    await trio.sleep_forever()


async def exabytes(stream, request):
    await stream.send_all(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
    await trio.sleep_forever()


async def half(stream, request):
    await stream.send_all(frame(Message(request.kind, CID.multihash))[:-5])
    await stream.aclose()


async def nothing(stream, request):
    await stream.aclose()


async def peers_by_the_thousand(stream, request):
    one = encode(Message(Kind.PUT_VALUE, closer=(Contact(stream.peer, (ADDRESS,)),)))[2:]
    await stream.send_all(encode_frame(encode(Message(request.kind)) + one * 15_000))


ANSWERS = [
    another_type,
    byte_by_byte,
    giant,
    too_large,
    exabytes,
    half,
    nothing,
    peers_by_the_thousand,
]


@pytest.mark.parametrize("say", ANSWERS, ids=lambda say: say.__name__)
async def test_answers_that_are_none_cost_little_time_and_no_stream(autojump_clock, say):
    async with world() as here:
        seeker, _, provider = await seeker_and_holder(here)
        connect_liars(here, seeker, say, count=19)
        start = trio.current_time()
        assert list(await providers(seeker)) == [provider]
        assert trio.current_time() - start < 35
        await trio.sleep(5)
        assert seeker._network.open_streams == 0
        assert here.internet.failures == []
