"""HTTP servers on loopback that answer a delegated router's requests as they like."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from peershelf.blockstore.block import Block
from peershelf.protocols.transport import PeerId

OWN = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
ADDRESS = "/ip4/192.0.2.7/tcp/4001"
CID = Block.create(b"wanted").cid
NDJSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

Handler = Callable[[trio.SocketStream], Awaitable[None]]


def record(peer: PeerId = PEER, **more: Any) -> dict[str, Any]:
    return {"Schema": "peer", "ID": peer, "Addrs": [ADDRESS], **more}


def line(peer: PeerId = PEER, **more: Any) -> bytes:
    return json.dumps(record(peer, **more)).encode() + b"\n"


class Server:
    """Reads a request for each connection, then leaves it to `handler`."""

    def __init__(self, handler: Handler | bytes) -> None:
        self.handler = handler
        self.requests: list[str] = []
        self.url = ""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
            await nursery.start(trio.serve_listeners, self._serve, [listener])
            task_status.started()

    async def _serve(self, stream: trio.SocketStream) -> None:
        request = b""
        try:
            while not request.endswith(b"\r\n\r\n"):
                request += await stream.receive_some() or b"\r\n\r\n"
            self.requests.append(request.decode())
            if isinstance(self.handler, bytes):
                await stream.send_all(self.handler)
            else:
                await self.handler(stream)
        except trio.BrokenResourceError:
            pass
        finally:
            with trio.CancelScope(shield=True):
                await stream.aclose()
