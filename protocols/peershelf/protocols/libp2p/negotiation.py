"""Agreeing with a peer on a protocol, of a connection or of one stream (multistream-select 1.0).

Give it what reads ahead: the lines are read byte by byte.
Spec: https://github.com/multiformats/multistream-select
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import trio
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.io.abc import ReadWriteCloser
from libp2p.protocol_muxer.multiselect import MULTISELECT_PROTOCOL_ID, PROTOCOL_NOT_FOUND_MSG, Multiselect
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.utils import encode_delim

from peershelf.protocols.errors import ProtocolNotSupported, RemoteProtocolError


async def select(stream: ReadWriteCloser, protocols: Sequence[str]) -> TProtocol:
    """Agree on the first of `protocols` that the peer takes, and return it.

    The first one is proposed together with the greeting, so that it takes one round trip and not two.
    Raises ProtocolNotSupported, RemoteProtocolError, and whatever py-libp2p raises when the stream fails.
    """
    lines = MultiselectCommunicator(stream)
    first, *others = protocols
    await stream.write(encode_delim(MULTISELECT_PROTOCOL_ID.encode()) + encode_delim(first.encode()))
    if await lines.read() != MULTISELECT_PROTOCOL_ID:
        raise RemoteProtocolError("the peer does not speak multistream-select 1.0")
    if await _accepts(lines, first):
        return TProtocol(first)
    for protocol in others:
        await lines.write(protocol)
        if await _accepts(lines, protocol):
            return TProtocol(protocol)
    raise ProtocolNotSupported(f"the peer speaks none of {', '.join(protocols)}")


async def _accepts(lines: MultiselectCommunicator, protocol: str) -> bool:
    answer = await lines.read()
    if answer not in (protocol, PROTOCOL_NOT_FOUND_MSG):
        raise RemoteProtocolError(f"the peer neither takes nor refuses {protocol}")
    return answer == protocol


async def answer(
    stream: ReadWriteCloser, mux: Multiselect, timeout: float
) -> tuple[TProtocol, StreamHandlerFn | None]:
    """Agree on a protocol that the peer asks for and `mux` has; return it and its handler.

    Raises whatever py-libp2p raises when the stream or the peer fails, or `timeout` seconds have passed.
    """
    with trio.fail_after(timeout):
        protocol, handler = await mux.negotiate(MultiselectCommunicator(stream), math.ceil(timeout))
    if protocol is None:
        raise RemoteProtocolError("the peer asked for no protocol")
    return protocol, handler
