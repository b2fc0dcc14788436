"""Identify: each side tells the other who it is, what it serves and where it listens.

py-libp2p has this protocol too, but with its own name as the agent, without keeping the peer's agent, and
in tasks outside every nursery.

Spec: https://github.com/libp2p/specs/blob/master/identify/README.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from libp2p.identity.identify.pb.identify_pb2 import Identify

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

IDENTIFY = "/ipfs/id/1.0.0"
IDENTIFY_PUSH = "/ipfs/id/push/1.0.0"

PROTOCOL_VERSION = "ipfs/0.1.0"
MAX_MESSAGE = 65_536
MAX_AGENT = 256
MAX_PROTOCOLS = 512
MAX_ADDRESSES = 32
MAX_ADDRESS = 512


@dataclass(frozen=True, slots=True)
class Identity:
    """What a peer says of itself; none of it is proven."""

    agent: str
    protocols: tuple[str, ...]
    addresses: tuple[bytes, ...] = ()
    """Where it says that it listens, multiaddrs in their bytes, not looked into."""
    observed: bytes | None = None
    """Where it says that it sees this node, likewise."""


def describe(
    *,
    public_key: bytes,
    agent: str,
    listen: Sequence[Multiaddr],
    observed: Multiaddr,
    protocols: Sequence[str],
) -> bytes:
    """Return our side of the exchange, framed.

    Args:
        public_key: in libp2p's protobuf form.
        listen: our addresses, without the peer ID.
        observed: where we see the peer's side of the connection.
    """
    message = Identify(
        protocol_version=PROTOCOL_VERSION,
        agent_version=agent,
        public_key=public_key,
        listen_addrs=[address.to_bytes() for address in listen],
        observed_addr=observed.to_bytes(),
        protocols=protocols,
    )
    return encode_frame(message.SerializeToString())


async def read_identity(stream: Stream) -> Identity:
    """Read the peer's side of the exchange. Raises RemoteProtocolError, StreamReset."""
    frames = FrameDecoder(MAX_MESSAGE)
    while (frame := frames.next_frame()) is None:
        data = await stream.receive_some(MAX_MESSAGE)
        if not data:
            raise MalformedMessage("the peer's identify message ends early")
        frames.receive(data)
    return parse_identity(bytes(frame))


def parse_identity(data: bytes) -> Identity:
    """Read an Identify message, unframed. Raises MalformedMessage."""
    message = Identify()
    try:
        message.ParseFromString(data)
        agent, *protocols = message.agent_version, *message.protocols[:MAX_PROTOCOLS]
    except (DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage("the peer's identify message is malformed") from error
    # A string that is no UTF-8 is handed out as bytes, against its declared type.
    if not all(type(text) is str for text in (agent, *protocols)):
        raise MalformedMessage("the peer's identify message has text that is no UTF-8")
    return Identity(
        agent=printable(agent),
        protocols=tuple(printable(name) for name in protocols),
        addresses=tuple(one for one in message.listen_addrs[:MAX_ADDRESSES] if len(one) <= MAX_ADDRESS),
        observed=message.observed_addr if 0 < len(message.observed_addr) <= MAX_ADDRESS else None,
    )


def printable(text: str) -> str:
    """Return a stranger's text cut to MAX_AGENT characters and safe to print on one line."""
    cut = text[:MAX_AGENT]
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
