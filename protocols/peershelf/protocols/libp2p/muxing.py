"""Which stream multiplexer runs over a secured connection.

This is the seat of the muxer: `MUXER` is built for every connection. py-libp2p takes muxer classes too,
but then builds its own Yamux for /yamux/1.0.0 whatever class it was given. That one is not used because it
grants credit without enforcing it (a peer that overruns its window is buffered without bound), fails a writer
that gets no credit for 5 s, throws away what was received and not yet read when the connection ends, shows
readers a clean end then, and moves less than half as much in the same time.
"""

from __future__ import annotations

from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.custom_types import TMuxerClass, TProtocol
from libp2p.peer.id import ID
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream

from peershelf.protocols.libp2p.yamux.driver import YamuxConnection

YAMUX_ID = TProtocol("/yamux/1.0.0")
MUXER: TMuxerClass = YamuxConnection


class ChosenMuxer(MuxerMultistream):
    """Agrees with the peer on /yamux/1.0.0 and builds `MUXER` over the connection."""

    def __init__(self, negotiate_timeout: int) -> None:
        super().__init__({YAMUX_ID: MUXER}, negotiate_timeout)

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Return the muxed connection. Raises MultiselectError."""
        muxer = await self.select_transport(conn)
        return self._annotate_connection(muxer(conn, peer_id), conn, YAMUX_ID)
