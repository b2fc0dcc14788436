"""Which stream multiplexer runs over a secured connection.

This is the seat of the muxer: `MUXER` is built for every connection. py-libp2p takes muxer classes too,
but then builds its own Yamux for /yamux/1.0.0 whatever class it was given.

What the stock Yamux does badly, for whoever replaces it:
- It grants credit but does not enforce it: a peer that overruns its window is buffered without bound.
- A writer that gets no credit for 5 s is failed (`streams.py` waits for the credit itself, so that this
  never happens), and credit is polled for every 10 ms.
- When the connection ends, what was received but not yet read is thrown away, and readers see a clean end.
- A keepalive ping that stays unanswered has no consequence (the TCP transport asks the kernel instead).
- Closing takes 0.1 s of sleep, and another 0.1 s in the swarm.
"""

from __future__ import annotations

from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.custom_types import TMuxerClass, TProtocol
from libp2p.peer.id import ID
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID, Yamux

YAMUX_ID = TProtocol(PROTOCOL_ID)
MUXER: TMuxerClass = Yamux


class ChosenMuxer(MuxerMultistream):
    """Agrees with the peer on /yamux/1.0.0 and builds `MUXER` over the connection."""

    def __init__(self, negotiate_timeout: int) -> None:
        super().__init__({YAMUX_ID: MUXER}, negotiate_timeout)

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Return the muxed connection. Raises MultiselectError."""
        muxer = await self.select_transport(conn)
        return self._annotate_connection(muxer(conn, peer_id), conn, YAMUX_ID)
