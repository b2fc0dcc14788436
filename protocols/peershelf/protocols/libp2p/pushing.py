"""Telling all peers when what this host says of itself has changed.

Spec: https://github.com/libp2p/specs/blob/master/identify/README.md#identifypush
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import trio

from peershelf.protocols.libp2p.connection import Connection
from peershelf.protocols.libp2p.identify import IDENTIFY_PUSH

GATHER = 0.5
"""Seconds in which further changes join the first one."""


class IdentifyPusher:
    """Pushes on each connection, once for all changes that come together.

    Args:
        connections: returns the live ones; their number is bounded.
        push: tells the peer of one of them. Raises nothing, and ends in bounded time.
    """

    def __init__(
        self,
        connections: Callable[[], Iterable[Connection]],
        push: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._connections = connections
        self._push = push
        self._changed = trio.Event()

    def changed(self) -> None:
        """What is said of this host is no longer what it was."""
        self._changed.set()

    async def run(self) -> None:
        """Tell of every change until cancelled."""
        while True:
            await self._changed.wait()
            await trio.sleep(GATHER)
            self._changed = trio.Event()
            async with trio.open_nursery() as nursery:
                self._push_to_all(nursery)

    def _push_to_all(self, nursery: trio.Nursery) -> None:
        # Apart from run(), whose variables last, and would keep the last of these when it has long ended.
        for connection in self._connections():
            if _may_take_pushes(connection):
                nursery.start_soon(self._push, connection)


def _may_take_pushes(connection: Connection) -> bool:
    """Whether the peer has not yet said what it serves, or that among it."""
    return connection.identity is None or IDENTIFY_PUSH in connection.identity.protocols
