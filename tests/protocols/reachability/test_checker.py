"""A node finds out whether it is reached, whatever servers there are. Hours pass in a moment."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from reach_world import (
    ELSEWHERE,
    NOT_REACHED,
    OK,
    OURS,
    Server,
    bytes_of,
    honest,
    says_not_reached,
    says_reached,
    silent,
    world,
)

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.reachability.case import RECHECK, Outcome, Standing
from peershelf.protocols.reachability.messages import (
    MOST_DATA,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Question,
    Status,
    encode,
)
from peershelf.protocols.reachability.streams import receive, send
from peershelf.protocols.transport import Arrival, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame


async def test_three_networks_that_reach_us_are_proof(autojump_clock) -> None:
    async with world() as here:
        servers = [here.server() for _ in range(5)]
        await trio.sleep(10)
        assert here.told == [(Standing.PUBLIC, (OURS,))]
        assert sum(len(server.asked) for server in servers) == 3
        await trio.sleep(RECHECK)
        assert sum(len(server.asked) for server in servers) == 6


async def test_one_server_will_do_where_there_are_no_more(autojump_clock) -> None:
    async with world() as here:
        here.server()
        await trio.sleep(5)
        assert here.standing is Standing.UNKNOWN
        await trio.sleep(25)
        assert here.told == [(Standing.PUBLIC, (OURS,))]


async def test_a_node_that_is_not_reached_is_private_and_asks_ever_less_often(autojump_clock) -> None:
    async with world() as here:
        here.reached = False
        servers = [here.server() for _ in range(3)]
        await trio.sleep(8 * RECHECK)
        assert here.told == [(Standing.PRIVATE, ())]
        assert all(10 <= len(server.asked) <= 14 for server in servers)


async def test_it_takes_three_failures_to_give_up_what_was_proven(autojump_clock) -> None:
    async with world() as here:
        for _ in range(3):
            here.server()
        await trio.sleep(10)
        here.reached = False
        await trio.sleep(RECHECK + 500)
        assert here.standing is Standing.PUBLIC
        await trio.sleep(300)
        assert here.told[1:] == [(Standing.PRIVATE, ())]
        here.reached = True
        await trio.sleep(400)
        assert here.told[2:] == [(Standing.PUBLIC, (OURS,))]


async def test_flapping_for_less_than_that_is_told_to_nobody(autojump_clock) -> None:
    async with world() as here:
        for _ in range(3):
            here.server()
        await trio.sleep(10)
        for _ in range(20):
            here.reached = False
            await trio.sleep(500)
            here.reached = True
            await trio.sleep(RECHECK)
        assert here.told == [(Standing.PUBLIC, (OURS,))]


async def elsewhere(server: Server, stream: Stream, question: Question) -> None:
    await server.dial_back(question.nonce, at=ELSEWHERE)
    await send(stream, OK)


async def wrong_nonce(server: Server, stream: Stream, question: Question) -> None:
    await server.dial_back(question.nonce ^ 1)
    await send(stream, OK)


async def old_connection(server: Server, stream: Stream, question: Question) -> None:
    """Says it over a connection that was there already."""
    ours = server.world.ours
    arrival = Arrival(OURS, server.world.seen_at[server.peer], 0.0)
    server.world.arrivals[server.peer] = arrival
    server.dialer, keep = server.inner, server.dialer
    back = await server.inner.open_stream(ours.local_peer, ["/libp2p/autonat/2/dial-back"])
    await back.send_all(encode_frame(b"\x09" + question.nonce.to_bytes(8, "little")))
    assert await back.receive_some(1) == b""
    server.dialer = keep
    await send(stream, OK)


async def another_index(server: Server, stream: Stream, question: Question) -> None:
    await send(stream, Answer(Status.OK, 7, Dialed.OK))


async def rubbish(server: Server, stream: Stream, question: Question) -> None:
    await stream.send_all(b"\x05\xff\xff\xff\xff\xff")


async def endless(server: Server, stream: Stream, question: Question) -> None:
    await stream.send_all(b"\xff\xff\x7f" + bytes(10_000))


async def asks_back(server: Server, stream: Stream, question: Question) -> None:
    await send(stream, question)


async def hangs_up(server: Server, stream: Stream, question: Question) -> None:
    await stream.reset()


LIES = [
    (says_reached, Outcome.UNPROVEN),
    (elsewhere, Outcome.UNPROVEN),
    (wrong_nonce, Outcome.UNPROVEN),
    (old_connection, Outcome.UNPROVEN),
    (another_index, Outcome.NONSENSE),
    (rubbish, Outcome.NONSENSE),
    (endless, Outcome.NONSENSE),
    (asks_back, Outcome.NONSENSE),
    (hangs_up, Outcome.LOST),
    (silent, Outcome.SILENT),
]


@pytest.mark.parametrize(("lie", "outcome"), LIES, ids=[lie.__name__ for lie, _ in LIES])
async def test_liars_prove_nothing_however_many(autojump_clock, lie, outcome) -> None:
    async with world() as here:
        servers = [here.server(lie) for _ in range(6)]
        await trio.sleep(10 * RECHECK)
        assert here.told == []
        (case,) = here.checker.cases
        assert {answer.outcome for answer in case.answers.values()} == {outcome}
        assert all(len(server.asked) <= 12 for server in servers)


@pytest.mark.parametrize("lie", [says_not_reached, silent, rubbish], ids=lambda lie: lie.__name__)
async def test_a_liar_among_honest_ones_changes_nothing(autojump_clock, lie) -> None:
    async with world() as here:
        here.server(lie)
        for _ in range(3):
            here.server()
        await trio.sleep(60)
        assert here.standing is Standing.PUBLIC
        await trio.sleep(10 * RECHECK)
        assert here.told == [(Standing.PUBLIC, (OURS,))]


async def test_a_thousand_liars_of_one_network_are_one(autojump_clock) -> None:
    async with world() as here:
        for _ in range(3):
            here.server()
        await trio.sleep(10)
        for number in range(100):
            liar = here.server(says_not_reached)
            here.seen_at[liar.peer] = bytes_of(f"/ip4/9.9.0.{number}/tcp/1")
        await trio.sleep(10 * RECHECK)
        assert here.told == [(Standing.PUBLIC, (OURS,))]


async def test_the_nonce_is_proof_whatever_the_server_says(autojump_clock) -> None:
    async def says_otherwise(server: Server, stream: Stream, question: Question) -> None:
        assert await server.dial_back(question.nonce)
        await send(stream, NOT_REACHED)

    async with world() as here:
        here.server(says_otherwise)
        await trio.sleep(30)
        assert here.standing is Standing.PUBLIC


async def test_neighbours_and_those_behind_our_own_address_are_not_asked(autojump_clock) -> None:
    async with world() as here:
        servers = [here.server() for _ in range(3)]
        here.seen_at[servers[0].peer] = bytes_of("/ip4/192.168.0.7/tcp/4001")
        here.seen_at[servers[1].peer] = bytes_of("/ip4/45.0.0.1/tcp/4002")
        here.serving[servers[2].peer] = ("/ipfs/id/1.0.0",)
        await trio.sleep(RECHECK)
        assert [server.asked for server in servers] == [[], [], []]
        assert here.told == []


async def test_what_others_see_behind_a_nat_is_asked_about_until_it_is_proven(autojump_clock) -> None:
    private, public = bytes_of("/ip4/192.168.1.5/tcp/4001"), bytes_of("/ip4/45.7.7.7/tcp/4001")

    async def through_the_nat(server: Server, stream: Stream, question: Question) -> None:
        assert question.addresses == (public,)
        await server.dial_back(question.nonce, at=private)
        await send(stream, OK)

    async with world() as here:
        here.ours.listening = [private]
        servers = [here.server(through_the_nat) for _ in range(3)]
        await trio.sleep(60)
        assert here.checker.cases == []
        for server in servers:
            here.observed_by[server.peer] = bytes_of("/ip4/45.7.7.7/tcp/50123")
        await trio.sleep(70)
        assert here.told == [(Standing.PUBLIC, (public,))]
        # Nobody sees us there any more, and nobody can prove it anew.
        here.observed_by.clear()
        for server in servers:
            server.say = says_not_reached
        await trio.sleep(2 * RECHECK)
        assert here.told[1:] in ([(Standing.UNKNOWN, ())], [(Standing.PRIVATE, ()), (Standing.UNKNOWN, ())])
        assert here.checker.cases == []


async def test_data_is_sent_once_an_hour_and_no_more_than_may_be_asked_for(autojump_clock) -> None:
    received: list[int] = []

    async def wants_data(server: Server, stream: Stream, question: Question) -> None:
        await send(stream, DataWanted(0, MOST_DATA))
        decoder, size = FrameDecoder(8192), 0
        while size < MOST_DATA:
            message = await receive(stream, decoder)
            assert isinstance(message, Data)
            size += len(message.payload)
        received.append(size)
        await send(stream, NOT_REACHED)

    async with world() as here:
        server = here.server(wants_data)
        await trio.sleep(RECHECK - 60)
        assert received == [MOST_DATA]
        assert len(server.asked) == 2
        await trio.sleep(3 * RECHECK)
        assert 3 <= len(received) <= 4


@pytest.mark.parametrize("wanted", [DataWanted(0, MOST_DATA + 1), DataWanted(0, 2**63), DataWanted(1, 100)])
async def test_too_much_data_is_not_sent(autojump_clock, wanted) -> None:
    received: list[bytes] = []

    async def wants_too_much(server: Server, stream: Stream, question: Question) -> None:
        await send(stream, wanted)
        received.append(await stream.receive_some())

    async with world() as here:
        here.server(wants_too_much)
        await trio.sleep(60)
        assert received == [b""]
        (case,) = here.checker.cases
        assert [answer.outcome for answer in case.answers.values()] == [Outcome.WANTED_DATA]


async def test_data_that_nobody_reads_ends_with_the_question(autojump_clock) -> None:
    async def never_reads(server: Server, stream: Stream, question: Question) -> None:
        await stream.send_all(encode_frame(encode(DataWanted(0, MOST_DATA))))
        await trio.sleep_forever()

    async with world() as here:
        here.server(never_reads)
        await trio.sleep(60)
        assert here.ours.open_streams == 0
        (case,) = here.checker.cases
        assert [answer.outcome for answer in case.answers.values()] == [Outcome.SILENT]


async def test_a_silent_server_holds_up_nobody(autojump_clock) -> None:
    async with world() as here:
        for _ in range(3):
            here.server(silent)
        await trio.sleep(15)
        for _ in range(3):
            here.server(honest)
        await trio.sleep(60)
        assert here.standing is Standing.PUBLIC


async def test_an_address_that_is_no_longer_there_is_forgotten(autojump_clock) -> None:
    async with world() as here:
        here.reached = False
        for _ in range(3):
            here.server()
        await trio.sleep(60)
        assert here.told == [(Standing.PRIVATE, ())]
        here.ours.listening = [ELSEWHERE]
        await trio.sleep(120)
        assert [case.address for case in here.checker.cases] == [ELSEWHERE]


async def test_floods_of_dial_backs_are_cut(autojump_clock) -> None:
    async with world() as here:
        flooder = here.internet.node("flooder")
        here.internet.connect(flooder, here.ours._inner)
        for _ in range(200):
            await flooder.open_stream(here.ours.local_peer, ["/libp2p/autonat/2/dial-back"])
        await trio.sleep(1)
        assert here.ours.open_streams == 4
        await trio.sleep(10)
        assert here.ours.open_streams == 0


async def test_who_holds_all_streams_for_dial_backs_that_it_gets_keeps_nobody_from_proof(
    autojump_clock, nursery
) -> None:
    async def hold(flooder) -> None:
        while True:
            with suppress(NetworkError):
                stream = await flooder.open_stream(here.ours.local_peer, ["/libp2p/autonat/2/dial-back"])
                await stream.receive_some()
            await trio.sleep(0.01)

    async with world() as here:
        flooder = here.internet.node("flooder")
        here.internet.connect(flooder, here.ours._inner)
        for _ in range(32):
            nursery.start_soon(hold, flooder)
        await trio.sleep(1)
        for _ in range(3):
            here.server()
        await trio.sleep(30)
        assert here.told == [(Standing.PUBLIC, (OURS,))]
        nursery.cancel_scope.cancel()
