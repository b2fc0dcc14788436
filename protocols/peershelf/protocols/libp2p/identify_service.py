"""Runs identify on a host's connections: answers, asks each new one, pushes and takes in what is pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
import trio

from peershelf.protocols.errors import NetworkError, StreamReset
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.connection import Connection
from peershelf.protocols.libp2p.identify import IDENTIFY, IDENTIFY_PUSH, describe, read_identity
from peershelf.protocols.multiaddrs import may_be_told
from peershelf.protocols.transport import Stream

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IdentifyService:
    """What we say of ourselves, and where what others say goes: into their `Connection`.

    Args:
        public_key: in libp2p's protobuf form.
        agent: such as peershelf/1.2.3.
        listen: returns the addresses that we listen on, without the peer ID.
        protocols: returns the protocol IDs that we serve.
    """

    public_key: bytes
    agent: str
    listen: Callable[[], Sequence[Multiaddr]]
    protocols: Callable[[], Sequence[str]]

    async def answer(self, connection: Connection, stream: Stream) -> None:
        """Tell the peer who we are."""
        await stream.send_all(self._message(connection))

    async def push(self, connection: Connection) -> None:
        """Tell the peer unasked, unless it does not take it."""
        try:
            stream = await connection.open_stream([IDENTIFY_PUSH])
            try:
                with trio.move_on_after(connection.limits.negotiate_timeout):
                    await stream.send_all(self._message(connection))
                    await stream.aclose()
            finally:
                await stream.abandon()
        except NetworkError as error:
            log.debug("peer was not told who we are now", peer=connection.peer, error=type(error).__name__)
        except Exception:
            log.exception("identify push failed", peer=connection.peer)

    def _message(self, connection: Connection) -> bytes:
        remote = connection.remote.to_bytes()
        return describe(
            public_key=self.public_key,
            agent=self.agent,
            listen=[one for one in self.listen() if may_be_told(one.to_bytes(), remote)],
            observed=connection.remote,
            protocols=self.protocols(),
        )

    async def take_push(self, connection: Connection, stream: Stream) -> None:
        """Read what the peer tells of itself, unasked or asked. Raises RemoteProtocolError, StreamReset."""
        with trio.move_on_after(connection.limits.negotiate_timeout):
            connection.identity = await read_identity(stream)
            return
        raise StreamReset("the peer began to identify itself and did not end")

    async def ask(self, connection: Connection) -> None:
        """Find out who the peer is. A peer that does not say stays unknown."""
        try:
            stream = await connection.open_stream([IDENTIFY])
            try:
                await self.take_push(connection, stream)
            finally:
                await stream.reset()
        except NetworkError as error:
            log.debug("peer did not identify itself", peer=connection.peer, error=type(error).__name__)
        except Exception:  # runs beside every connection: a bug that a stranger finds here would end the host
            log.exception("identify failed", peer=connection.peer)
        finally:
            connection.asked.set()
