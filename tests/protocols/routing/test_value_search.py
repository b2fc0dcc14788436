"""Values in a network in memory, under virtual time: the best one wins, whoever lies."""

from __future__ import annotations

import trio
from ipns_records import ed25519
from kad_strangers import frame, knows, stranger
from kad_world import ADDRESS, World, chain, world

from peershelf.protocols.routing.kad import Dht
from peershelf.protocols.routing.kad.choice import QUORUM
from peershelf.protocols.routing.kad.keys import key_of, key_of_peer, peer_from_bytes
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.record import encode_record
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value

OWNER, OTHER = ed25519(1), ed25519(2)
KEY = OWNER.key
NOW = 1_800_000_000.0
OWNER_PEER = peer_from_bytes(OWNER.name)
LIARS = 9


def value(sequence: int) -> Value:
    return check(KEY, OWNER.record(sequence), NOW)


async def get(dht: Dht) -> list[int]:
    """The sequence numbers that are found, as they come."""
    found: list[Value] = []
    await dht.get_value(KEY, found.append)
    assert all(check(KEY, one.data, NOW) == one for one in found)
    return [one.rank[0] for one in found]


def kept(dht: Dht) -> int | None:
    here = dht._valuing._values.get(KEY, trio.current_time())
    return None if here is None else here.value.rank[0]


def keep(dht: Dht, sequence: int) -> None:
    dht._valuing._values.put(OWNER_PEER, KEY, value(sequence), trio.current_time())


async def put(dht: Dht, sequence: int) -> tuple[int, list[int]]:
    better: list[Value] = []
    taken = await dht.put_value(KEY, value(sequence), better.append)
    return taken, [one.rank[0] for one in better]


async def test_what_one_end_puts_the_other_gets(autojump_clock):
    async with world() as here:
        nodes = await chain(here, 30)
        assert await get(nodes[-1][1]) == []
        assert await put(nodes[0][1], 4) == (20, [])
        assert await get(nodes[-1][1]) == [4]
        nearest = sorted((key_of_peer(network.local_peer) ^ key_of(KEY), dht) for network, dht in nodes[1:-1])
        assert all(kept(dht) == 4 for _, dht in nearest[:15])


async def test_a_newer_value_takes_the_place_of_an_older_one_and_not_the_other_way(autojump_clock):
    async with world() as here:
        nodes = await chain(here, 10)
        assert (await put(nodes[0][1], 4))[0] == 9
        assert (await put(nodes[1][1], 5))[0] == 9
        assert (await get(nodes[-1][1]))[-1] == 5
        assert await put(nodes[2][1], 4) == (0, [5])
        assert [kept(dht) for _, dht in nodes[2:]] == [5] * 8


async def test_who_puts_knows_a_better_one_that_nobody_else_has(autojump_clock):
    async with world() as here:
        nodes = await chain(here, 3)
        keep(nodes[0][1], 7)
        assert await put(nodes[0][1], 6) == (0, [7])
        assert kept(nodes[1][1]) is None


async def test_those_who_have_a_worse_value_or_none_are_given_the_best(autojump_clock):
    async with world() as here:
        nodes = await chain(here, 12)
        keep(nodes[1][1], 8)
        for _, dht in nodes[2:6]:
            keep(dht, 3)
        assert (await get(nodes[0][1]))[-1] == 8
        await trio.sleep(5)
        assert [kept(dht) for _, dht in nodes[1:]] == [8] * 11


async def test_without_peers_there_is_no_value_and_nobody_takes_one(autojump_clock):
    async with world() as here:
        _, lonely = await here.node()
        assert await get(lonely) == []
        assert await put(lonely, 1) == (0, [])


async def test_nobody_is_given_what_is_worse_than_what_another_has(autojump_clock):
    async with world() as here:
        putting, between, _ = await seeker_and_holder(here, 6)
        assert await put(putting, 5) == (0, [6])
        assert kept(between) is None
        assert await put(putting, 7) == (2, [])
        assert kept(between) == 7


async def test_who_answers_with_rubbish_may_still_know_nearer_peers(autojump_clock):
    async with world() as here:
        (_, seeker), (holder, holding) = await here.node(), await here.node()
        keep(holding, 6)

        async def say(stream, request):
            closer = (Contact(holder.local_peer, (ADDRESS,)),)
            await stream.send_all(frame(Message(request.kind, request.key, b"rubbish", closer)))

        add_liars(here, seeker, say, count=1)
        assert await get(seeker) == [6]


async def seeker_and_holder(here: World, sequence: int) -> tuple[Dht, Dht, Dht]:
    """A node that knows one who knows who has the value."""
    (_, seeker), (between, knowing) = await here.node(), await here.node()
    holder, holding = await here.node()
    keep(holding, sequence)
    knows(seeker, between.local_peer)
    knows(knowing, holder.local_peer)
    return seeker, knowing, holding


def add_liars(here: World, seeker: Dht, say, *, count: int = LIARS) -> None:
    """They are near, and so the first to answer."""
    for _ in range(count):
        liar = stranger(here, say)
        here.internet.connect(seeker._network._inner, liar._inner, latency=0.001)
        knows(seeker, liar.local_peer)


def says(record: bytes | None):
    """A liar that answers with a record, and takes nothing."""

    async def say(stream, request):
        if request.kind is Kind.PUT_VALUE:
            await stream.reset()
        else:
            await stream.send_all(frame(Message(request.kind, request.key, record=record)))

    return say


async def test_the_newest_value_wins_over_nine_stale_ones(autojump_clock):
    async with world() as here:
        seeker, *_ = await seeker_and_holder(here, 6)
        add_liars(here, seeker, says(encode_record(KEY, OWNER.record(5))))
        assert await get(seeker) == [5, 6]


async def test_what_is_forged_expired_another_s_or_none_is_passed_over(autojump_clock):
    lies = [
        encode_record(KEY, OWNER.record(9).replace(b"ipfs", b"ipns")),
        encode_record(KEY, OWNER.record(9, ends=b"2001-01-01T00:00:00Z")),
        encode_record(KEY, OTHER.record(9)),
        encode_record(OTHER.key, OTHER.record(9)),
        encode_record(OTHER.key, OWNER.record(9)),
        encode_record(KEY, OWNER.record(9, said={"_more": bytes(20_000)})),
        OWNER.record(9),
        encode_record(KEY, b""),
        b"",
        b"\xff" * 100,
        bytes(100_000),
    ]
    async with world() as here:
        seeker, *_ = await seeker_and_holder(here, 6)
        for lie in lies:
            add_liars(here, seeker, says(lie), count=1)
        start = trio.current_time()
        assert await get(seeker) == [6]
        assert trio.current_time() - start < 30
        await trio.sleep(30)
        assert seeker._network.open_streams == 0
        assert here.internet.failures == []


async def test_liars_who_claim_to_have_taken_a_value_are_not_counted(autojump_clock):
    async def claim(stream, request):
        """Answer with what was not put."""
        record = encode_record(KEY, OWNER.record(1)) if request.kind is Kind.PUT_VALUE else None
        await stream.send_all(frame(Message(request.kind, request.key, record=record)))

    async with world() as here:
        _, putting = await here.node()
        honest, keeping = await here.node()
        knows(putting, honest.local_peer)
        add_liars(here, putting, claim)
        assert await put(putting, 2) == (1, [])
        assert kept(keeping) == 2


async def test_peers_that_are_silent_hold_up_no_correction_of_others(autojump_clock):
    async def hang(stream, request):
        if request.kind is Kind.PUT_VALUE:
            await trio.sleep_forever()
        await stream.send_all(frame(Message(request.kind, request.key)))

    async with world() as here:
        seeker, *_ = await seeker_and_holder(here, 6)
        other, lacking = await here.node()
        knows(seeker, other.local_peer)
        add_liars(here, seeker, hang)
        assert await get(seeker) == [6]
        await trio.sleep(2)
        assert kept(lacking) == 6


async def test_a_search_ends_early_when_enough_have_the_same(autojump_clock):
    """Two who have it do not answer before ten seconds, and are not waited for."""

    async def late(stream, request):
        await trio.sleep(9)
        await stream.send_all(frame(Message(request.kind, request.key)))

    async with world() as here:
        _, seeker = await here.node()
        for _ in range(QUORUM):
            network, dht = await here.node()
            keep(dht, 3)
            knows(seeker, network.local_peer)
        for _ in range(2):
            knows(seeker, stranger(here, late).local_peer)
        start = trio.current_time()
        assert await get(seeker) == [3]
        assert trio.current_time() - start < 5
