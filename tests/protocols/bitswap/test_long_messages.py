"""Long messages hold nobody up: they are read, taken in and answered in steps, and paid for."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from named import A, cid_of, cids_of
from serving import Serving

from peershelf.blockstore.protobuf import bytes_field
from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence, WantEntry
from peershelf.protocols.bitswap.requester import Requester
from peershelf.protocols.errors import TransportError
from peershelf.protocols.wire import encode_frame, frame_header

MIB = 1 << 20
AT_ONCE = 256
"""Lines of a message that may be dealt with before others have a turn."""


class Passes:
    """Counts how often a task that is always ready has had a turn."""

    def __init__(self) -> None:
        self.number = 0

    async def count(self) -> None:
        while True:
            await trio.lowlevel.checkpoint()
            self.number += 1

    def between(self, steps: list[tuple[int, int]]) -> bool:
        """Whether it has had turns all the time; two steps may happen to lie on the same side of one."""
        return all(before[1] < after[1] for before, after in zip(steps, steps[2:], strict=False))


@pytest.fixture
def passes(nursery) -> Passes:
    counted = Passes()
    nursery.start_soon(counted.count)
    return counted


@pytest.fixture
def steps(monkeypatch, passes) -> list[tuple[int, int]]:
    """For each step of dealing with wants or presences: how many there were, and the pass that it was in."""
    seen: list[tuple[int, int]] = []

    def watch(kind, name, items) -> None:
        inner = getattr(kind, name)

        def watched(self, peer, arguments):
            seen.append((len(items(arguments)), passes.number))
            return inner(self, peer, arguments)

        monkeypatch.setattr(kind, name, watched)

    watch(Engine, "receive", list)
    watch(Engine, "looked_up", list)
    watch(Requester, "presences", list)
    return seen


def missing(number: int, **options) -> tuple[WantEntry, ...]:
    return tuple(WantEntry(cid, **options) for cid in cids_of(number))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Message(wants=missing(16_000, send_dont_have=True)), id="wants"),
        pytest.param(Message(wants=missing(5_000), full=True), id="a full wantlist"),
        pytest.param(Message(wants=missing(16_000, cancel=True)), id="cancels"),
        pytest.param(
            Message(presences=tuple(Presence(cid, have=True) for cid in cids_of(4_000))), id="presences"
        ),
    ],
)
async def test_others_have_turns_while_a_long_message_is_dealt_with(world, passes, steps, message):
    node = await world.node("node")
    stranger = world.stranger("stranger", node)
    await stranger.say(message)
    with trio.fail_after(20):
        while sum(number for number, _ in steps) < len(message.wants) + len(message.presences):
            await trio.lowlevel.checkpoint()
    assert max(number for number, _ in steps) <= AT_ONCE
    assert passes.between(steps)


async def test_expensive_messages_are_read_more_slowly(world, autojump_clock):
    """Work of a second takes its sender five, less what is free, while another peer is answered at once."""
    spent = 0.0

    def cpu() -> float:
        nonlocal spent
        spent += 0.001
        return spent

    node = await world.node("node", cpu=cpu)
    stranger, other = (world.stranger(name, node) for name in ("stranger", "other"))
    start = trio.current_time()

    async def flood() -> None:
        for _ in range(10):
            await stranger.say(Message(wants=missing(6_000, send_dont_have=True)))
        last = WantEntry(cid_of(0), cancel=True), WantEntry(cid_of(99_999), send_dont_have=True)
        await stranger.say(Message(wants=last))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        await stranger.until(lambda: stranger.presences)
        asked = trio.current_time()
        await other.say(Message(wants=(WantEntry(cid_of(1), send_dont_have=True),)))
        await other.until(lambda: other.presences)
        assert trio.current_time() - asked < 0.1
    await stranger.until(lambda: stranger.presences[-1].cid == cid_of(99_999))
    assert trio.current_time() - start > 4


@pytest.mark.parametrize("garbage", [encode_frame(b"\xff" * 100), frame_header(8 * MIB)])
async def test_garbage_is_read_ten_times_a_second(world, autojump_clock, garbage):
    node = await world.node("node")
    stranger = world.stranger("stranger", node)
    start = trio.current_time()
    for _ in range(100):
        stream = await stranger.open_stream()
        with suppress(TransportError):
            await stream.send_all(garbage)
            while await stream.receive_some():
                pass
    assert trio.current_time() - start > 9
    await trio.sleep(1)
    assert node.bitswap.stat().protocol_errors == 100


async def test_messages_that_wait_for_their_turn_give_their_memory_up_too(world, autojump_clock):
    limits = BitswapLimits(buffered_per_peer=8 * MIB, buffered_total=16 * MIB)
    node = await world.node("node", limits=limits)
    inbound = node.bitswap._inbound
    message = encode_frame(bytes_field(9, bytes(3 * MIB)))
    streams = []
    for number in range(6):
        stranger = world.stranger(f"stranger {number}", node)
        streams += [await stranger.open_stream() for _ in range(2)]
        await trio.sleep(0.1)
        inbound._pacing.charge(stranger.peer, 1_000.0)
    for stream in streams:
        with suppress(TransportError):
            await stream.send_all(message)
        await trio.sleep(1)
    assert 8 * MIB < inbound.budget.used <= 16 * MIB


def test_presences_are_told_in_parts():
    serving = Serving()
    serving.wants(A, *missing(1_000, send_dont_have=True))
    told = []
    while serving.engine.peers_to_tell():
        some = serving.engine.take_presences(A, 300)
        assert len(some) <= 300
        told += [presence.cid for presence in some]
    assert told == cids_of(1_000)


async def test_thousands_of_tiny_blocks_are_told_of_in_parts(world, make_blocks, monkeypatch, passes):
    node = await world.node("node")
    blocks = make_blocks(2_000, 40)
    seen: list[tuple[int, int]] = []
    intake = node.bitswap._client._intake
    inner = intake._report

    def watched(arrivals, seconds) -> None:
        seen.append((len(arrivals), passes.number))
        inner(arrivals, seconds)

    monkeypatch.setattr(intake, "_report", watched)

    async def answer(stranger, message) -> None:
        if not stranger.sent:
            stranger.sent = True
            everything = tuple(Payload(Prefix.of(block.cid), block.data) for block in blocks)
            await stranger.say(Message(payloads=everything))

    stranger = world.stranger("stranger", node, react=answer)
    stranger.sent = False
    with trio.fail_after(20):
        await node.bitswap.get_block(blocks[0].cid)
        while sum(number for number, _ in seen) < len(blocks):
            await trio.lowlevel.checkpoint()
    assert max(number for number, _ in seen) <= AT_ONCE
    assert passes.between(seen)
