"""What hosts tell one another of themselves."""

from __future__ import annotations

import contextlib

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from libp2p.identity.identify.pb.identify_pb2 import Identify

from peershelf.protocols.errors import MalformedMessage, MessageTooLarge, ProtocolNotSupported
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.identify import (
    IDENTIFY,
    IDENTIFY_PUSH,
    MAX_AGENT,
    MAX_MESSAGE,
    MAX_PROTOCOLS,
    Identity,
    parse_identity,
    read_identity,
)
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import FrameDecoder, encode_frame


class Received:
    """A stream with nothing but input, in pieces."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    async def receive_some(self, _max_bytes):
        return self.pieces.pop(0) if self.pieces else b""


async def test_both_sides_learn_agent_and_protocols(host, eventually):
    a, b = await host(agent="peershelf/1.2.3"), await host()
    b.handle(["/test/special"], lambda _stream: None)
    await a.connect(b.addresses()[0])
    await eventually(lambda: a.connections()[0].agent and b.connections()[0].agent)
    assert b.connections()[0].agent == "peershelf/1.2.3"
    assert "/test/special" in a.connections()[0].protocols


async def test_what_is_said_is_what_the_specification_asks_for(host):
    a, b = await host(), await host(listen=["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"])
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, [IDENTIFY])
    data = b""
    while piece := await stream.receive_some():
        data += piece
    await stream.aclose()
    frames = FrameDecoder(MAX_MESSAGE)
    frames.receive(data)
    message = Identify()
    message.ParseFromString(bytes(frames.next_frame()))
    assert message.agent_version == "peershelf/test"
    assert message.protocol_version == "ipfs/0.1.0"
    assert sorted(message.protocols) == b.protocols()
    assert len(message.listen_addrs) == 2
    assert message.public_key.startswith(b"\x08\x01\x12\x20")
    assert str(Multiaddr(message.observed_addr)) == b.connections()[0].address


async def test_a_push_replaces_what_was_known(host, eventually):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    await eventually(lambda: b.connections()[0].agent)
    stream = await a.open_stream(b.local_peer, [IDENTIFY_PUSH])
    await stream.send_all(
        encode_frame(Identify(agent_version="other/2", protocols=["/x"]).SerializeToString())
    )
    await stream.aclose()
    await eventually(lambda: b.connections()[0].agent == "other/2")
    assert b.connections()[0].protocols == ("/x",)


async def test_a_message_in_pieces_is_put_together():
    framed = encode_frame(Identify(agent_version="kubo/0").SerializeToString())
    identity = await read_identity(Received(*(framed[i : i + 1] for i in range(len(framed)))))
    assert identity.agent == "kubo/0"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", MalformedMessage),
        (b"\x05abc", MalformedMessage),
        (b"\x03\xff\xff\xff", MalformedMessage),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", MalformedMessage),
        (b"\xff\xff\x7f", MessageTooLarge),
    ],
)
async def test_malformed_messages_are_refused(sent, error):
    with pytest.raises(error):
        await read_identity(Received(sent))
    assert MAX_MESSAGE < 0x1FFFFF


@pytest.mark.parametrize("field", [b"\x1a", b"\x32", b"\x2a"], ids=["protocol", "agent", "version"])
def test_text_that_is_no_utf_8_is_refused_or_passed_over(field):
    data = field + b"\x04\xff\xfe\xfd\xfc"
    if field == b"\x2a":
        assert parse_identity(data) == Identity("", ())
        return
    with pytest.raises(MalformedMessage):
        parse_identity(data)


def test_a_strangers_text_is_cut_and_made_printable():
    message = Identify(agent_version="a\x1b[31m\n" + "x" * 10_000, protocols=["/p\r"] * 10_000)
    identity = parse_identity(message.SerializeToString())
    assert len(identity.agent) == MAX_AGENT
    assert identity.agent.startswith("a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}x")
    assert identity.protocols == ("/p\N{REPLACEMENT CHARACTER}",) * MAX_PROTOCOLS


@given(st.binary(max_size=200))
def test_any_bytes_are_an_identity_or_a_malformed_message(data):
    with contextlib.suppress(MalformedMessage):
        parse_identity(data)


async def test_peers_are_told_when_what_is_served_changes(host, eventually):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    await eventually(lambda: a.protocols_of(b.local_peer))
    assert "/test/later" not in a.protocols_of(b.local_peer)
    b.handle(["/test/later"], lambda _stream: None)
    await eventually(lambda: "/test/later" in a.protocols_of(b.local_peer))
    b.unhandle(["/test/later"])
    await eventually(lambda: "/test/later" not in a.protocols_of(b.local_peer))
    with pytest.raises(ProtocolNotSupported):
        await a.open_stream(b.local_peer, ["/test/later"])


async def test_peers_are_told_of_announced_addresses_until_they_are_taken_back(host, eventually):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    await eventually(lambda: a.protocols_of(b.local_peer))
    announced = Multiaddr("/ip4/192.0.2.1/tcp/4001").to_bytes()
    b.announce([announced, *b.listen_addresses()])
    await eventually(lambda: announced in a.addresses_of(b.local_peer))
    assert f"/ip4/192.0.2.1/tcp/4001/p2p/{b.local_peer}" in b.addresses()
    assert len(b.addresses()) == 2
    assert announced not in b.listen_addresses()
    b.announce([])
    await eventually(lambda: announced not in a.addresses_of(b.local_peer))


async def test_a_peer_that_reads_no_push_keeps_nobody_waiting(host, eventually):
    a, b, c = await host(), await host(), await host()

    async def never(*_):
        await trio.sleep_forever()

    c.handle([IDENTIFY_PUSH], never)
    for one in (a, c):
        await b.connect(one.addresses()[0])
        await eventually(lambda one=one: b.protocols_of(one.local_peer))
    b.handle(["/test/later"], never)
    await eventually(lambda: "/test/later" in a.protocols_of(b.local_peer))


async def test_a_peer_says_where_it_sees_us(host, eventually):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    assert a.observed_by(PeerId("nobody")) is None
    await eventually(lambda: a.observed_by(b.local_peer) and b.observed_by(a.local_peer))
    assert b.observed_by(a.local_peer) == b.listen_addresses()[0]
    assert a.observed_by(b.local_peer) == b.seen_at(a.local_peer)


async def test_an_inbound_stream_tells_where_it_arrived(host):
    a, b = await host(), await host()
    seen = []

    async def look(stream):
        seen.append(b.arrival_of(stream))
        await stream.aclose()

    b.handle(["/test/look"], look)
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, ["/test/look"])
    assert await stream.receive_some() == b""
    assert a.arrival_of(stream) is None
    await stream.aclose()
    (arrival,) = seen
    assert (arrival.local, arrival.remote) == (b.listen_addresses()[0], b.seen_at(a.local_peer))
    assert 0 <= trio.current_time() - arrival.since < 60
