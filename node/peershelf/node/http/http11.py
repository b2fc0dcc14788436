"""One connection under Hypercorn, in HTTP/1.1 and nothing else."""

from __future__ import annotations

from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import TCPServer


class Http11Server(TCPServer):
    """Hypercorn's server of a connection, without HTTP/2.

    Hypercorn turns to HTTP/2 when a client says so. Its frames are dealt with before anybody is asked for an
    answer, all that one read brings at a time: pings and priorities without end.
    """

    async def _read_data(self) -> None:
        protocol = self.protocol.protocol
        assert isinstance(protocol, H11Protocol), "without TLS nothing else begins"
        protocol._check_protocol = _stay  # type: ignore[method-assign, assignment]
        await super()._read_data()


async def _stay(_: object) -> None:
    """In the place of what raises when the client asks for another protocol than HTTP/1.1."""
