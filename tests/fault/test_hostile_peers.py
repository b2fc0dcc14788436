"""A running node among peers that lie, babble or say nothing: it stores nothing that it did not ask for."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import PROTOCOLS, Message, Payload, Prefix, Presence, encode
from peershelf.protocols.bitswap.parsing import decode
from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame, frame_header

VERSION = PROTOCOLS[0]
ANSWER_SIZE = 4 << 20

Reply = Callable[[Cid], bytes]


def frame(message: Message) -> bytes:
    return encode_frame(b"".join(bytes(piece) for piece in encode(message, VERSION)))


def block_message(*blocks: tuple[Cid, bytes]) -> bytes:
    return frame(Message(payloads=tuple(Payload(Prefix.of(cid), data) for cid, data in blocks)))


def wrong_bytes(cid: Cid) -> bytes:
    return block_message((cid, b"something else"))


def unrequested_blocks(cid: Cid) -> bytes:
    blocks = [Block.create(os.urandom(1000)) for _ in range(500)]
    return block_message(*((block.cid, block.data) for block in blocks))


def garbage(cid: Cid) -> bytes:
    return encode_frame(os.urandom(5000))


def too_much(cid: Cid) -> bytes:
    return frame_header(ANSWER_SIZE + 1) + bytes(100_000)


def endless_length(cid: Cid) -> bytes:
    return b"\xff" * 11


def half_a_message(cid: Cid) -> bytes:
    return frame_header(10_000) + b"\x1a"


def has_it_but_never_sends(cid: Cid) -> bytes:
    return frame(Message(presences=(Presence(cid, have=True),)))


def nothing(cid: Cid) -> bytes:
    return b""


class HostilePeer:
    """Answers every message that wants something with what `reply` makes of the first wanted CID."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.network = Libp2pNetwork(
            private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="hostile/0"
        )
        self.network.handle(PROTOCOLS, self._handle)
        self.asked = trio.Event()

    async def _handle(self, stream: Stream) -> None:
        frames = FrameDecoder(ANSWER_SIZE)
        while data := await stream.receive_some():
            frames.receive(data)
            while (message := frames.next_frame()) is not None:
                wants = decode(message).wants
                if wants:
                    self.asked.set()
                    await self._answer(stream, wants[0].cid)

    async def _answer(self, stream: Stream, cid: Cid) -> None:
        out = await self.network.open_stream(stream.peer, PROTOCOLS)
        await out.send_all(self._reply(cid))
        await trio.sleep_forever()


@pytest.fixture
async def hostile(nursery: trio.Nursery) -> AsyncIterator[Callable[[Reply], Awaitable[HostilePeer]]]:
    async def start(reply: Reply) -> HostilePeer:
        peer = HostilePeer(reply)
        await nursery.start(peer.network.run)
        return peer

    yield start
    nursery.cancel_scope.cancel()


async def in_thread(call: Callable[..., bytes], *words: str) -> bytes:
    return await trio.to_thread.run_sync(partial(call, *words))


@pytest.mark.parametrize(
    "reply",
    [
        wrong_bytes,
        unrequested_blocks,
        garbage,
        too_much,
        endless_length,
        half_a_message,
        has_it_but_never_sends,
        nothing,
    ],
)
async def test_a_hostile_peer_costs_nothing_but_time(hostile, daemons, tmp_path: Path, reply: Reply) -> None:
    victim, honest = daemons(), daemons()
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    cid = honest.text("add", "-Q", tmp_path / "file")
    peer = await hostile(reply)
    await in_thread(victim, "swarm", "connect", peer.network.addresses()[0])

    error = await in_thread(victim.fails, "cat", "--timeout", "1s", cid)
    assert cid in error
    assert peer.network.local_peer in error
    assert peer.asked.is_set()
    assert victim("refs", "local") == b"", "something was stored that nobody had asked for"

    await in_thread(victim, "swarm", "connect", honest.addresses[0])
    assert await in_thread(victim, "cat", "--timeout", "30s", cid) == data
