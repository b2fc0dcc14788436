"""Strangers against the DHT of a real daemon that serves it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from peershelf.blockstore import protobuf
from peershelf.blockstore.block import Block
from peershelf.blockstore.ipld import dag_cbor
from peershelf.protocols.errors import NetworkError, StreamReset
from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Contact, Kind, Message, encode
from peershelf.protocols.routing.kad.record import decode_record, encode_record
from peershelf.protocols.routing.kad.rpc import read_message
from peershelf.protocols.routing.kad.serving import MAX_REQUEST, MOST_STREAMS
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame, frame_header

MIB = 1 << 20
HERE = bytes([4, 127, 0, 0, 1, 6, 15, 161])
TINY_FIELDS = b"\x28\x01" * ((MAX_REQUEST - 10) // 2)


class Owner:
    """Somebody with a name, and records of it."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(sha256(seed).digest())
        public = self._key.public_key().public_bytes_raw()
        self.key = b"/ipns/\x00\x24\x08\x01\x12\x20" + public

    def record(self, more: bytes) -> bytes:
        said = {"Value": b"/ipfs/bafkqaaa", "Validity": b"2100-01-01T00:00:00Z", "ValidityType": 0}
        data = dag_cbor.encode({**said, "Sequence": 0, "TTL": 0, "_more": more})
        signature = self._key.sign(b"ipns-signature:" + data)
        return protobuf.bytes_field(8, signature) + protobuf.bytes_field(9, data)


def put(key: bytes, value: bytes) -> Message:
    return Message(Kind.PUT_VALUE, key, record=encode_record(key, value))


BROKEN = {
    "garbage": encode_frame(b"\xff" * 5_000),
    "too large": frame_header(MAX_REQUEST + 1) + bytes(1_000),
    "exabytes": b"\xff" * 8 + b"\x7f",
    "an 11-byte varint": b"\xff" * 10 + b"\x01",
    "an unknown type": encode_frame(b"\x08\x63"),
    "no key": encode_frame(encode(Message(Kind.FIND_NODE))),
    "a value of no key": encode_frame(encode(Message(Kind.PUT_VALUE, b"key", record=bytes(10_000)))),
    "a forged value": encode_frame(encode(put(Owner(b"1").key, Owner(b"2").record(bytes(9_000))))),
    "a value without an end": encode_frame(encode(put(Owner(b"1").key, bytes(10_000)))),
    "a key of 300 bytes": encode_frame(b"\x08\x04\x12\xac\x02" + bytes(300)),
    "many fields and no key": encode_frame(b"\x08\x04" + TINY_FIELDS),
}


@pytest.fixture(scope="module")
def victim(new_victim):
    """A daemon that serves the DHT."""
    with new_victim({"Routing.Type": "dhtserver"}) as running:
        yield running


@asynccontextmanager
async def honest_dht(victim) -> AsyncIterator[Dht]:
    """A peer that takes part as it should, and knows the victim alone."""
    network = Libp2pNetwork(private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="honest/1")
    dht = Dht(network, LAN, serve=False)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        await nursery.start(dht.run)
        await network.connect(victim.address)
        with trio.fail_after(20):
            while PeerId(victim.peer) not in dht.table:  # noqa: ASYNC110 -- there is no event of this
                await trio.sleep(0.02)
        yield dht
        nursery.cancel_scope.cancel()


async def a_lookup_works(victim) -> None:
    """What one announces another finds, through the victim."""
    cid = Block.create(os.urandom(20)).cid
    found: list[PeerInfo] = []
    async with honest_dht(victim) as providing, honest_dht(victim) as seeking:
        with trio.fail_after(20):
            assert await providing.provide([cid.multihash]) == 1
            while not found:
                await seeking.find_providers(cid, found.append)
    assert {one.peer for one in found} == {providing.table._own}


async def opened(peer, victim, data: bytes = b"") -> Stream:
    stream = await peer.network.open_stream(PeerId(victim.peer), [LAN.protocol])
    with suppress(StreamReset):
        await stream.send_all(data)
    return stream


async def test_what_is_no_request_costs_its_stream(siege, stranger, victim, is_reset):
    await a_lookup_works(victim)
    async with siege(memory=24 * MIB), stranger() as peer:
        for name, data in BROKEN.items():
            for _ in range(5):
                stream = await opened(peer, victim, data)
                with trio.move_on_after(10) as patience:
                    await is_reset(stream)
                assert not patience.cancelled_caught, f"{name}: the stream goes on"
    await a_lookup_works(victim)


async def test_half_requests_and_silence_on_many_streams_cost_all_but_a_few(siege, stranger, many, victim):
    """Four peers with two hundred streams each, on which a request begins and does not end."""
    ended = 0

    async def begin(peer) -> None:
        nonlocal ended
        with suppress(NetworkError):
            stream = await opened(peer, victim, frame_header(MAX_REQUEST) + bytes(MAX_REQUEST - 100))
            with suppress(NetworkError):
                await stream.receive_some()
        ended += 1
        if ended == 4 * (200 - MOST_STREAMS):
            enough.set()

    enough = trio.Event()
    async with siege(memory=24 * MIB) as watch, many(4, stranger) as peers:
        async with trio.open_nursery() as nursery:
            for peer in peers:
                for _ in range(200):
                    nursery.start_soon(begin, peer)
            with trio.fail_after(30):
                await enough.wait()
            await a_lookup_works(victim)
            assert ended == 4 * (200 - MOST_STREAMS)
            nursery.cancel_scope.cancel()
        await watch.transferred.wait()
    await a_lookup_works(victim)


async def test_floods_that_read_no_answer_leave_others_their_turn(siege, stranger, victim):
    """Pings that want 260 bytes back each, on as many streams as are served."""
    pings = encode_frame(encode(Message(Kind.PING, bytes(256)))) * 20_000

    async def flood(peer) -> None:
        with suppress(NetworkError):
            await opened(peer, victim, pings)

    async with siege(memory=48 * MIB) as watch, stranger() as peer, trio.open_nursery() as nursery:
        await watch.connected.wait()
        for _ in range(MOST_STREAMS):
            nursery.start_soon(flood, peer)
        await trio.sleep(0.5)  # until what may be on its way is
        used = await victim.thread_share(3)
        await a_lookup_works(victim)
        await watch.transferred.wait()
        nursery.cancel_scope.cancel()
    assert used < 0.35, f"{used:.0%} of the thread"
    await a_lookup_works(victim)


@pytest.mark.parametrize("identities", [1, 16])
async def test_asking_without_end_takes_a_small_share(siege, stranger, many, victim, identities):
    """However many ask on how many streams, at least as fast as they are answered."""
    questions = encode_frame(encode(Message(Kind.FIND_NODE, os.urandom(32)))) * 500

    async def drain(stream: Stream) -> None:
        with suppress(NetworkError):
            while await stream.receive_some():
                pass

    async def flood(peer) -> None:
        with suppress(NetworkError):
            stream = await opened(peer, victim)
            async with trio.open_nursery() as reading:
                reading.start_soon(drain, stream)
                while True:
                    await stream.send_all(questions)

    async with (
        siege(memory=64 * MIB) as watch,
        many(identities, stranger) as peers,
        trio.open_nursery() as nursery,
    ):
        for peer in peers:
            for _ in range(8):
                nursery.start_soon(flood, peer)
        await trio.sleep(1)  # what all may take at once, ahead of their share, is no matter here
        used = await victim.thread_share(5)
        await a_lookup_works(victim)
        await watch.transferred.wait()
        nursery.cancel_scope.cancel()
    assert used < 0.35, f"{used:.0%} of the thread"


async def test_10000_records_of_one_peer_are_taken_while_others_are_answered(siege, stranger, victim):
    async with siege(memory=64 * MIB) as watch, stranger() as peer:
        own = (Contact(peer.network.local_peer, (HERE,) * 30),)
        stream = await opened(peer, victim)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a_lookup_works, victim)
            for number in range(100):
                keys = [b"\x12\x20" + (number * 100 + one).to_bytes(32, "big") for one in range(100)]
                records = [Message(Kind.ADD_PROVIDER, key, providers=own) for key in keys]
                await stream.send_all(b"".join(encode_frame(encode(record)) for record in records))
        await stream.send_all(encode_frame(encode(Message(Kind.GET_PROVIDERS, keys[-1]))))
        with trio.fail_after(30):
            answer = await stream.receive_some()
        assert encode(Message(Kind.GET_PROVIDERS, keys[-1], providers=own))[:40] in answer
        await stream.aclose()
        await watch.transferred.wait()
    await a_lookup_works(victim)


async def test_many_identities_hide_nobody_else_who_has_a_block(siege, stranger, victim):
    """Of a key 64 providers are kept, and identities cost nothing."""
    key = b"\x12\x20" + os.urandom(32)

    async def announce(peer) -> None:
        own = Contact(peer.network.local_peer, (HERE,))
        request = encode(Message(Kind.ADD_PROVIDER, key, providers=(own,)))
        stream = await opened(peer, victim, encode_frame(request) + encode_frame(encode(ping)))
        assert await stream.receive_some()  # so the first of both was dealt with, too
        await stream.aclose()

    ping = Message(Kind.PING, b"x")
    async with siege(memory=24 * MIB), stranger(source="127.0.0.9") as honest:
        await announce(honest)
        for _ in range(66):
            async with stranger() as peer:
                await announce(peer)
        stream = await opened(honest, victim, encode_frame(encode(Message(Kind.GET_PROVIDERS, key))))
        answer = await read_message(stream, FrameDecoder(MAX_MESSAGE))
        assert answer is not None
        assert len(answer.providers) == 64
        assert honest.name in [one.peer for one in answer.providers[:2]]
        await stream.aclose()


async def test_floods_of_values_push_out_nobody_elses(siege, stranger, victim):
    """All of them are valid: names cost nothing. There are 37 MB, and no room for more than 17 of them."""
    honest = Owner(os.urandom(8))
    record = honest.record(b"")

    async def ask(stream: Stream, request: Message) -> Message:
        await stream.send_all(encode_frame(encode(request)))
        answer = await read_message(stream, FrameDecoder(MAX_MESSAGE))
        assert answer is not None
        return answer

    async def flood(stream: Stream, numbers: range) -> None:
        for number in numbers:
            owner = Owner(number.to_bytes(4, "big"))
            await ask(stream, put(owner.key, owner.record(bytes(9_900))))

    async with stranger() as one, stranger() as other:
        putting, flooding = await opened(one, victim), await opened(other, victim)
        await ask(putting, put(honest.key, record))
        # What fills the place there is stays, so that is done before anybody looks at what is left.
        await flood(flooding, range(1_700))
        async with siege(memory=24 * MIB) as watch, trio.open_nursery() as nursery:
            nursery.start_soon(a_lookup_works, victim)
            await flood(flooding, range(1_700, 3_700))
            await watch.transferred.wait()
        kept = (await ask(putting, Message(Kind.GET_VALUE, honest.key))).record
        assert kept is not None
        assert decode_record(kept, honest.key) == record
        first, last = Owner(bytes(4)), Owner((3_699).to_bytes(4, "big"))
        assert (await ask(putting, Message(Kind.GET_VALUE, last.key))).record is not None
        assert (await ask(putting, Message(Kind.GET_VALUE, first.key))).record is None
        await putting.aclose()
        await flooding.aclose()
    await a_lookup_works(victim)
