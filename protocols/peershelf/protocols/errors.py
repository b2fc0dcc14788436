"""What the network layer raises. Our own mistakes and the other side's are two branches.

`LocalProtocolError`: this program asked for something impossible (a bug here, or bad input from its user).
`RemoteProtocolError`: a peer broke a protocol; the cure is to drop that peer's stream, never to end the node.
`TransportError`: the network did what networks do; try again or try somebody else.
"""

from __future__ import annotations


class NetworkError(Exception):
    """Base of every error of the network layer."""


class LocalProtocolError(NetworkError):
    """We asked for something that the protocol does not allow."""


class RemoteProtocolError(NetworkError):
    """A peer sent something that the protocol does not allow."""


class MessageTooLarge(RemoteProtocolError):
    """A peer announced a message over the limit; nothing of it was read."""


class MalformedMessage(RemoteProtocolError):
    """A peer sent bytes that are no message of the protocol."""


class InvalidRecord(MalformedMessage):
    """A value does not prove that it belongs to its key, or no longer holds."""


class TransportError(NetworkError):
    """A connection or stream failed."""


class CannotListen(TransportError):
    """An address is taken, not ours to use, or not there."""


class InvalidAddress(LocalProtocolError, ValueError):
    """Text that is no multiaddr of the kind needed."""


class DialFailed(TransportError):
    """No connection to the peer could be made."""


class DialedTooSoon(DialFailed):
    """Every address of the peer has failed lately; none was dialed."""

    def __init__(self, peer: str, seconds: float) -> None:
        super().__init__(f"{peer} could not be reached lately: next try in {seconds:.0f} s")
        self.seconds = seconds
        """Until the first of them may be dialed."""


class PeerNotConnected(TransportError):
    """There is no connection to the peer."""


class ProtocolNotSupported(TransportError):
    """The peer speaks none of the protocols that were offered."""


class StreamReset(TransportError):
    """The stream, or the connection under it, was torn down."""


class StreamStalled(StreamReset):
    """The peer took nothing for too long, so the stream was reset."""


class StreamClosed(TransportError):
    """We wrote to a stream after closing our side of it."""
