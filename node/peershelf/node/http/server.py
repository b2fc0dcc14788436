"""Serves an ASGI app with Hypercorn's trio worker.

Hypercorn's per-connection server runs in nurseries of our own rather than under hypercorn.trio.serve: that
way the bound address is known, nothing is logged or signalled behind the node's back, reads are large, and
a client that has stopped reading cannot hold up the node's end.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import structlog
import trio
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from peershelf.node.errors import ServerError
from peershelf.node.http import unix_socket as own
from peershelf.node.http.address import ApiAddress
from peershelf.node.http.connection import Connection
from peershelf.node.http.handed import HandedFiles, HandingStream, Waiting
from peershelf.node.http.http11 import Http11Server
from peershelf.node.http.places import Places
from peershelf.node.own_user import is_own_user

GRACE = 0.5
"""Seconds that answers under way get to finish when the server ends."""

BACKLOG = 128

MOST_STRANGERS, MOST_OF_ONE = 128, 16
"""Connections of strangers; and of one address."""

_log = structlog.get_logger(__name__)


def hypercorn_config() -> Config:
    """Hypercorn's settings for the local API."""
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.include_server_header = False
    config.keep_alive_timeout = 60.0
    config.h11_max_incomplete_size = 128 << 10  # many CIDs may be arguments of one request
    config.max_app_queue_size = 2  # pieces of a body that are read ahead of the operation
    return config


def config_for_strangers() -> Config:
    """Hypercorn's settings where anybody may ask, and has to be quick about it."""
    config = hypercorn_config()
    config.keep_alive_timeout = 10.0
    config.h11_max_incomplete_size = 16 << 10
    return config


class HttpServer:
    """A listening socket and the connections accepted from it.

    Args:
        address: a loopback one, unless the app is `for_strangers`; a multiaddr, whose port 0 is any free one.
        setting: what names the address.
        for_strangers: bounds their connections, and what they may say before they are served.
        unix_socket: where this user's commands are served too, and may hand over files; removed at the end.

    Raises ServerError for another address.
    """

    def __init__(
        self,
        app: ASGIApp,
        address: str,
        setting: str = "Addresses.API",
        *,
        for_strangers: bool = False,
        unix_socket: Path | None = None,
    ) -> None:
        self._app = wrap_app(cast(Any, app), 0, "asgi")
        self._address = (ApiAddress.parse_any if for_strangers else ApiAddress.parse)(address)
        self._setting = setting
        self._config = config_for_strangers() if for_strangers else hypercorn_config()
        most = (MOST_STRANGERS, MOST_OF_ONE) if for_strangers else (sys.maxsize, sys.maxsize)
        self._places = Places(*most)
        self._unix_socket = unix_socket
        self._waiting_files = Waiting()
        self._context = WorkerContext(None)
        self._connections: set[Connection] = set()
        self._ending = trio.Event()
        self._drained = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; reports the bound multiaddr as started.

        A cancellation lets answers under way finish for GRACE seconds, then cuts them off.
        Raises ServerError if the address cannot be listened on.
        """
        listener, bound = self._listen()
        beside = None if self._unix_socket is None else own.listen(self._unix_socket)
        listeners = [listener] if beside is None else [listener, beside]
        async with trio.open_nursery() as nursery:
            await nursery.start(self._serve_until_ending, listeners)
            task_status.started(bound)
            try:
                await trio.sleep_forever()
            finally:
                if beside is not None and self._unix_socket is not None:
                    with suppress(OSError):
                        self._unix_socket.unlink()
                self._ending.set()

    def _listen(self) -> tuple[trio.SocketListener, str]:
        host, port = self._address.host, self._address.port
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            raise ServerError(
                f"the API cannot listen on {self._address}: {error.strerror}; "
                f"end what listens there, or set {self._setting} to another port"
            ) from error
        bound = str(ApiAddress(host, sock.getsockname()[1]))
        return trio.SocketListener(trio.socket.from_stdlib_socket(sock)), bound

    async def _serve_until_ending(
        self, listeners: list[trio.SocketListener], *, task_status: trio.TaskStatus[None]
    ) -> None:
        # Shielded, so that it is _ending and not the caller's cancellation that stops what is under way.
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as connections:
                accept = partial(trio.serve_listeners, self._serve, listeners, handler_nursery=connections)
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(accept)
                    task_status.started()
                    await self._ending.wait()
                    accepting.cancel_scope.cancel()
                await self._drain()
                connections.cancel_scope.cancel()

    async def _drain(self) -> None:
        await self._context.terminated.set()
        if self._connections:
            with trio.move_on_after(GRACE):
                await self._drained.wait()
        for connection in self._connections:
            connection.disconnect()

    async def _serve(self, stream: trio.SocketStream) -> None:
        if stream.socket.family == socket.AF_UNIX:
            return await self._serve_own(stream)
        try:
            host: str = stream.socket.getpeername()[0]
        except OSError:
            return await trio.aclose_forcefully(stream)
        with self._places.place(host) as placed:
            if not placed:
                return await trio.aclose_forcefully(stream)
            return await self._serve_placed(stream, HandedFiles(self._waiting_files))

    async def _serve_own(self, stream: trio.SocketStream) -> None:
        if not is_own_user(stream.socket):
            return await trio.aclose_forcefully(stream)
        files = HandedFiles(self._waiting_files)
        try:
            return await self._serve_placed(cast(Any, HandingStream(stream, files)), files)
        finally:
            files.close()

    async def _serve_placed(self, stream: trio.SocketStream, files: HandedFiles) -> None:
        connection = Connection(stream)
        self._connections.add(connection)
        try:
            with connection.cancel_scope:
                state = ConnectionState({"connection": connection, "files": files})
                await Http11Server(
                    self._app, self._config, self._context, cast(Any, state), cast(Any, connection)
                )
        except Exception:
            # A client can cost itself its connection, never the node.
            _log.exception("api connection failed")
        finally:
            self._connections.discard(connection)
            if self._ending.is_set() and not self._connections:
                self._drained.set()
            await trio.aclose_forcefully(stream)
