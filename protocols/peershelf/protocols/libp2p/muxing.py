"""Which stream multiplexer runs over a secured connection.

This is the seat of the muxer: ours is built for every connection. py-libp2p takes muxer classes too, but then
builds its own Yamux for /yamux/1.0.0 whatever class it was given. That one is not used because it
grants credit without enforcing it (a peer that overruns its window is buffered without bound), fails a writer
that gets no credit for 5 s, throws away what was received and not yet read when the connection ends, shows
readers a clean end then, and moves less than half as much in the same time.
"""

from __future__ import annotations

import math

from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import MultiselectError
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.libp2p.negotiation import answer, select
from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.security.session import SecuredConnection
from peershelf.protocols.libp2p.yamux.driver import YamuxConnection
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.shared import Shared

YAMUX_ID = TProtocol("/yamux/1.0.0")


class ChosenMuxer(MuxerMultistream):
    """Agrees with the peer on /yamux/1.0.0, unless the handshake has already, and builds ours."""

    def __init__(self, negotiate_timeout: float, limits: YamuxLimits) -> None:
        super().__init__({YAMUX_ID: YamuxConnection}, math.ceil(negotiate_timeout))
        self._limits = limits
        self._shared = Shared(limits)

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Return the muxed connection. Raises MultiselectError, which py-libp2p knows what to do about."""
        assert isinstance(conn, SecuredConnection), "ChosenSecurity makes no others"
        if conn.early_muxer != YAMUX_ID:
            try:
                await self._agree(conn)
            except NetworkError as error:
                raise MultiselectError(str(error)) from error
        muxed = YamuxConnection(conn, peer_id, self._limits, self._shared)
        return self._annotate_connection(muxed, conn, YAMUX_ID)

    async def _agree(self, conn: SecuredConnection) -> None:
        ahead = ReadAhead(conn)
        if conn.is_initiator:
            await select(ahead, [YAMUX_ID])
        else:
            await answer(ahead, self.multiselect, self.negotiate_timeout)
        conn.put_back(ahead.take())
