"""Runs a swarm inside one task tree, and ends it in an orderly way.

When it is cancelled, a stock swarm leaves its sockets to the garbage collector and tells nobody goodbye.
Here the swarm is shielded from the cancellation for as long as that takes, which is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import structlog
import trio
from libp2p.abc import INetConn
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.swarm import Swarm
from libp2p.tools.anyio_service import background_trio_service

from peershelf.protocols.errors import TransportError
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.connection import remote_endpoint
from peershelf.protocols.libp2p.transport.tcp import TcpTransport

log = structlog.get_logger(__name__)

CLOSE_PATIENCE = 0.5
"""Seconds for telling a peer that we leave."""


async def keep_running(
    swarm: Swarm,
    transport: TcpTransport,
    stop: trio.Event,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run `swarm` until `stop` is set, then take leave of all peers and close every socket.

    Cancelling this does nothing: set `stop`. Started once the swarm can listen and dial.
    """
    with trio.CancelScope(shield=True):
        async with background_trio_service(swarm):
            await swarm.event_background_nursery_created.wait()
            task_status.started()
            await stop.wait()
            for listener in list(swarm.listeners.values()):
                await listener.close()
            await _take_leave(swarm, transport)


async def _take_leave(swarm: Swarm, transport: TcpTransport) -> None:
    """Close all connections at once; do not wait for what the swarm does after their sockets are closed."""
    async with trio.open_nursery() as nursery:
        for conn in swarm.get_connections():
            nursery.start_soon(close_connection, swarm, transport, conn)
        with trio.move_on_after(CLOSE_PATIENCE):
            for stream in [transport.find(remote_endpoint(conn)) for conn in swarm.get_connections()]:
                if stream is not None:
                    await stream.closed.wait()
        transport.kill_all()
        nursery.cancel_scope.cancel()


async def listen(swarm: Swarm, addresses: Iterable[Multiaddr]) -> None:
    """Listen on every one of `addresses`. Raises TransportError for the first that cannot be listened on."""
    for address in addresses:
        try:
            await swarm.listen(address)
        except ExceptionGroup as group:
            failures, others = group.split(TransportError)
            if others is not None or failures is None:
                raise
            raise failures.exceptions[0] from None


async def close_connection(swarm: Swarm, transport: TcpTransport, conn: INetConn) -> None:
    """Close `conn` politely if the peer lets us, else at once. Run it where it is not cancelled."""
    stream = transport.find(remote_endpoint(conn))
    with trio.move_on_after(CLOSE_PATIENCE):
        try:
            await conn.close()
        except Exception as error:
            log.debug("connection did not close cleanly", error=type(error).__name__)
    if stream is not None:
        stream.kill()
    swarm.remove_conn(cast(SwarmConn, conn))
