"""Why a dial failed, in words that a user can act upon."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence

import trio
from libp2p.io.exceptions import IOException
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.transport.exceptions import MuxerUpgradeFailure

from peershelf.protocols.errors import DialFailed, ProtocolNotSupported
from peershelf.protocols.libp2p.security.errors import SecureHandshakeFailed
from peershelf.protocols.libp2p.transport.websocket import NotWebSocket
from peershelf.protocols.private import NotInThisNetwork

_TIMED_OUT = "the handshake timed out"
_CLOSED = "the connection was closed during the handshake"
_UNHEARD = (_TIMED_OUT, _CLOSED, os.strerror(errno.ECONNRESET).lower(), os.strerror(errno.EPIPE).lower())
PERHAPS_ANOTHER_NETWORK = ", perhaps because the peer is not in this private network"


def reason_of(error: BaseException, offered: Sequence[str], *, private: bool = False) -> str:
    """Return in a few words why a dial failed. Nothing that the other side sent is part of it.

    In a private network whoever has another key takes what we say for garbage, and hangs up or waits.
    """
    reason = _reason_of(error, offered)
    return reason + PERHAPS_ANOTHER_NETWORK if private and reason in _UNHEARD else reason


def _reason_of(error: BaseException, offered: Sequence[str]) -> str:
    if isinstance(error, DialFailed):
        return str(error)
    chain = list(_chain(error))
    number = next((one.errno for one in chain if isinstance(one, OSError) and one.errno), None)
    if number is not None:
        return os.strerror(number).lower()
    if any(isinstance(one, PeerIDMismatchesPubkey) or "Peer ID mismatch" in str(one) for one in chain):
        return "another peer answers there, not the one with this peer ID"
    if any("Maximum connections limit" in str(one) for one in chain):
        return "this node has as many connections as it allows itself"
    if any(isinstance(one, NotInThisNetwork) for one in chain):
        return "the peer is not in this private network: its swarm.key is another one, or it has none"
    if any(isinstance(one, NotWebSocket) for one in chain):
        return "what answers there does not speak WebSocket"
    if any(isinstance(one, trio.TooSlowError) for one in chain):
        return _TIMED_OUT
    if any(isinstance(one, IOException | MultiselectCommunicatorError) for one in chain):
        return _CLOSED
    return _refusal(chain, offered)


def _refusal(chain: list[BaseException], offered: Sequence[str]) -> str:
    if any(isinstance(one, MuxerUpgradeFailure) for one in chain):
        return "no common stream multiplexer, we speak /yamux/1.0.0"
    if any(isinstance(one, ProtocolNotSupported) for one in chain):
        return f"no common security protocol, we offer {', '.join(offered)}"
    if any(isinstance(one, SecureHandshakeFailed) for one in chain):
        return "the secure handshake failed"
    return "what answers there does not speak libp2p"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
