"""WebSocket under the secure channel: wsproto's state machine over a `TcpStream`.

Payloads are taken as one stream of bytes, whatever messages they came in, and nothing waits for the end of a
message: so its size is no matter, and at most one read of the socket is held. There are no extensions, and
thus no compression that could blow up.

Specs: https://www.rfc-editor.org/rfc/rfc6455 and https://github.com/libp2p/specs/tree/master/websockets
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import trio
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.transport.exceptions import OpenConnectionError
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from peershelf.protocols.libp2p.transport.over_tcp import OverTcp
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.pacing.debts import Debts
from peershelf.protocols.pacing.toll import Toll

READ_SIZE = 65_536
MESSAGE_SIZE = 65_536
"""Most bytes of one message that we send; others may have a limit."""

FRAMES_AT_A_TIME = 256
"""Frames that are looked at before others get their turn: a frame can be as small as six bytes."""

_SHARE, _SHARE_ALL, _AHEAD = 0.1, 0.15, 0.02
"""What frames without data may take of the thread, as those of Yamux: of one connection, of all, and seconds
that a connection may owe."""


def frame_debts() -> Debts:
    """Return what the WebSocket connections of a host owe for frames without data."""
    return Debts(share=_SHARE, share_all=_SHARE_ALL, ahead=_AHEAD)


class WebSocketEndpoint(NamedTuple):
    """A peer's IP address and port, where it is spoken to in WebSocket frames."""

    host: str
    port: int


class NotWebSocket(OpenConnectionError):
    """The other side did not agree to speak WebSocket."""


async def offer(tcp: TcpStream, debts: Debts) -> WebSocketStream:
    """Ask the listener at the other end of `tcp` to speak WebSocket; `debts` are those of all of the host's.

    Raises NotWebSocket, ConnectionClosedError; `tcp` is for the caller to close then.
    """
    ws = WSConnection(ConnectionType.CLIENT)
    host, port = tcp.remote
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    await tcp.write(ws.send(Request(host=authority, target="/")))
    if not isinstance(await _first_event(tcp, ws), AcceptConnection):
        raise NotWebSocket("the request was refused")
    return WebSocketStream(tcp, ws, debts)


async def accept(tcp: TcpStream, debts: Debts) -> WebSocketStream:
    """Wait for the dialer at the other end of `tcp` to ask for WebSocket, and agree; `debts` as in offer().

    Raises NotWebSocket, ConnectionClosedError; `tcp` is for the caller to close then.
    """
    ws = WSConnection(ConnectionType.SERVER)
    if not isinstance(await _first_event(tcp, ws), Request):
        raise NotWebSocket("the first thing to come was no request")
    await tcp.write(ws.send(AcceptConnection()))
    return WebSocketStream(tcp, ws, debts)


async def _first_event(tcp: TcpStream, ws: WSConnection) -> Event:
    while True:
        for event in ws.events():
            return event
        data = await tcp.read(READ_SIZE)
        if not data:
            raise NotWebSocket("the connection was closed")
        try:
            ws.receive_data(data)
        except RemoteProtocolError as error:
            raise NotWebSocket("the answer is not HTTP, or has no WebSocket in it") from error


class WebSocketStream(OverTcp):
    """A WebSocket connection as a byte stream. As with `TcpStream`, writes are whole or final.

    Frames that carry little are paid for with rest: nothing is read meanwhile.
    """

    def __init__(
        self, tcp: TcpStream, ws: WSConnection, debts: Debts, cpu: Callable[[], float] = time.thread_time
    ) -> None:
        tcp.remote = WebSocketEndpoint(*tcp.remote)
        super().__init__(tcp)
        self._ws = ws
        self._toll = Toll(debts)
        tcp.when_closed(self._toll.close)
        self._cpu = cpu
        self._received = bytearray()
        self._replies = b""
        self._ended = False

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes; b"" at the end, also when we made it. Raises ConnectionClosedError."""
        if n == 0:
            return b""
        await trio.lowlevel.checkpoint()
        while not self._received and not self._ended:
            if not self._take_frames_for_toll():
                self._feed(await self._tcp.read(READ_SIZE))
            if self._replies:
                replies, self._replies = self._replies, b""
                await self._tcp.write(replies)
            await self._rest()
        data = bytes(self._received[:n])
        del self._received[: len(data)]
        return data

    def _feed(self, data: bytes) -> None:
        if data:
            self._ws.receive_data(data)
        else:
            self._ended = True

    async def _rest(self) -> None:
        """Wait until what the peer's frames cost is paid, or the socket is closed. Gives others a turn."""
        await trio.lowlevel.checkpoint()
        if rest := self._toll.rest(trio.current_time()):
            with trio.move_on_after(rest):
                await self._tcp.closed.wait()

    def _take_frames_for_toll(self) -> int:
        began = self._cpu()
        count = self._take_frames()
        self._toll.worked(count, len(self._received), self._cpu() - began, trio.current_time())
        return count

    def _take_frames(self) -> int:
        """Take in what the next frames say; return how many there were."""
        count = 0
        for event in islice(self._ws.events(), FRAMES_AT_A_TIME):
            count += 1
            if isinstance(event, BytesMessage):
                self._received += event.data
            elif isinstance(event, Ping):
                self._replies += self._ws.send(event.response())
            elif isinstance(event, CloseConnection) and self._ws.state is ConnectionState.REMOTE_CLOSING:
                self._replies += self._ws.send(event.response())
                self._ended = True
            elif not isinstance(event, Pong):
                self.kill()
                raise ConnectionClosedError("what came is no WebSocket frame of bytes", transport="websocket")
        return count

    async def write(self, data: bytes) -> None:
        """Send all of `data`. Raises ConnectionClosedError."""
        try:
            frames = [
                self._ws.send(BytesMessage(data=bytes(data[start : start + MESSAGE_SIZE])))
                for start in range(0, len(data), MESSAGE_SIZE)
            ]
        except LocalProtocolError as error:
            raise ConnectionClosedError("the WebSocket is closed", transport="websocket") from error
        await self._tcp.write(b"".join(frames))
