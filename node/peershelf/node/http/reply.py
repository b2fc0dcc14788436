"""One request and the answer to it: whether the answer has begun decides how a failure can still be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
import trio
from starlette.types import Receive, Scope, Send

from peershelf.node.describe import describe, details, is_bad_input, known_error
from peershelf.node.errors import UsageError
from peershelf.node.http.connection import Connection
from peershelf.node.http.responses import (
    JSON,
    encode,
    error_record,
    last_chunk,
    send_body,
    send_head,
    takes_trailers,
)
from peershelf.node.http.upload import Body
from peershelf.node.operations.request import Record

LINGER = 1.0
"""Seconds that a client gets to finish an upload that nobody reads, so that it sees more than a reset."""

_log = structlog.get_logger(__name__)


class UnknownOperation(UsageError):
    """There is no operation of that name."""


class Reply:
    """The answer to one request."""

    def __init__(self, send: Send, body: Body, connection: Connection, *, takes_trailers: bool) -> None:
        self._send = send
        self._body = body
        self._connection = connection
        self._takes_trailers = takes_trailers
        self._is_records = False
        self.begun = False

    async def begin(self, headers: Mapping[str, str], *, status: int = 200) -> None:
        """Send the head. From here on a failure can only show as an unfinished answer."""
        self.begun = True
        self._is_records = "X-Chunked-Output" in headers
        await send_head(self._send, status, headers)

    async def write(self, data: bytes | memoryview) -> None:
        """Send a piece of the body; waits as long as the client takes to read."""
        await send_body(self._send, data)

    async def finish(self) -> None:
        """End the answer."""
        await self._body.discard(LINGER)
        # Sending the end also tells watch() that the exchange is over, which cancels what is around us:
        # without the shield Hypercorn would be stopped half-way to serving the connection's next request.
        with trio.CancelScope(shield=True):
            await send_body(self._send, b"", last=True)

    async def json(
        self, record: Record, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole answer of one JSON object."""
        data = encode(record)
        head = {"Content-Type": JSON, "Content-Length": str(len(data)), **(headers or {})}
        await self.begin(head, status=status)
        await self.write(data)
        await self.finish()

    async def fail(self, error: Exception) -> None:
        """Tell the client of `error`, in whatever way is left."""
        if known_error(error) is None:
            _log.exception("api operation failed", exc_info=error)
        status, text, more = _status(error), describe(error), details(error)
        if not self.begun:
            return await self.json(error_record(status, text, more), status=status)
        if self._is_records:
            await self.write(encode(error_record(status, text, more)))
        elif self._takes_trailers:
            # Past Hypercorn, which knows trailers only in HTTP/2; it sends nothing more on this connection.
            await self._connection.send_all(last_chunk(text, more))
        _log.warning("api answer broken off", reason=text)
        await self._body.discard(LINGER)
        self._connection.abort()
        return None


async def exchange(
    scope: Scope, receive: Receive, send: Send, respond: Callable[[Body, Reply], Awaitable[None]]
) -> None:
    """Run `respond` for one request; cancelled as soon as the client goes, its exceptions told to the client.

    Every answer goes through here, since Hypercorn waits for ever if an answer ends while more of the
    request arrives and nobody receives it.
    """
    body = Body(receive)
    trailers = takes_trailers(scope["headers"])
    reply = Reply(send, body, scope["state"]["connection"], takes_trailers=trailers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when_gone, body, nursery.cancel_scope)
        try:
            await respond(body, reply)
        except Exception as error:
            if not body.client_gone:
                await reply.fail(error)
        nursery.cancel_scope.cancel()


async def _cancel_when_gone(body: Body, scope: trio.CancelScope) -> None:
    await body.watch()
    scope.cancel()


def _status(error: Exception) -> int:
    known = known_error(error)
    if isinstance(known, UnknownOperation):
        return 404
    return 400 if is_bad_input(known) else 500
