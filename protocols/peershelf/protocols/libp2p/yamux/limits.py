"""What one Yamux connection may cost us, in one place."""

from __future__ import annotations

from dataclasses import dataclass

_KIB = 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class YamuxLimits:
    """Bounds of one connection. Sizes in bytes, times in seconds, everything else is a count."""

    inbound_streams: int = 256
    """Streams that the peer may have open to us; more are reset, before anything else is done for them."""
    inbound_streams_in_all: int = 8_192
    """The same over all connections of a host; beyond it, each gets no more than 16."""
    accept_backlog: int = 256
    """Streams of the peer that nobody has accepted yet; more are reset. As many as go-yamux."""
    unacknowledged: int = 256
    """Streams of ours that the peer has not acknowledged; another one waits, as other programs' do."""

    unread: int = 32 * _MIB
    """Received and not yet read, over all streams. A stream that would exceed it is reset."""
    unread_in_all: int = 256 * _MIB
    """The same over all connections of a host. Where they would exceed it, the one that holds most loses the
    stream that holds most."""
    window: int = 16 * _MIB
    """What the receive window of one stream may grow to; as go-yamux."""
    grown_windows: int = 24 * _MIB
    """No window grows while credit and unread bytes of all streams together come to more. The distance to
    `unread` is for the windows that streams are born with, which Yamux grants without being asked."""

    send_queue: int = 512 * _KIB
    """Bytes taken from writers and not yet handed to the connection."""
    control_queue: int = 256 * _KIB
    """The same for frames without data. Beyond it the peer makes us answer without reading: it has to go."""
    pongs: int = 32
    """Pings that wait for their answer to be sent; what comes on top is not answered. As go-yamux."""

    frames_at_a_time: int = 256
    """Frames that are dealt with before others get their turn: a millisecond or so."""
    toll_share: float = 0.1
    """Part of this node's time that a connection's frames without data may take in the long run."""
    tolls_share: float = 0.15
    """The same for all connections together; who has something to pay has equal parts of it."""
    toll_ahead: float = 0.02
    """Seconds of the thread that a connection may owe without having to rest: it takes some to get to know a
    peer."""

    ping_interval: float = 30.0
    """Between two measurements of the round trip; the first is at once."""
    ping_timeout: float = 20.0
    """A peer that was pinged and from which nothing at all has come for so long is gone."""
    close_patience: float = 0.2
    """For handing over what is still to be sent when the connection ends."""
