"""The local API: every operation of a table at POST /api/v0/<name>, shaped as Kubo's RPC.

Arguments are `arg=` fields of the query, options its other fields, uploads multipart bodies. An operation
runs in the task of its request: when the client goes away, or the timeout passes, it is cancelled.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Set
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Generic
from urllib.parse import parse_qsl

import trio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from peershelf.node.errors import TimedOut, UsageError
from peershelf.node.http.guard import Guard
from peershelf.node.http.handed import HandedFiles
from peershelf.node.http.pouring import Pouring
from peershelf.node.http.record_pipe import send_records
from peershelf.node.http.reply import Reply, UnknownOperation, exchange
from peershelf.node.http.responses import stream_headers
from peershelf.node.http.upload import Body, PartReader, boundary, words
from peershelf.node.operations.base import ByteStream, NodeT, Operation, Records, Stream, Unary, validate
from peershelf.node.operations.request import Request, no_parts


def build_app(node: NodeT, operations: Mapping[str, Operation[NodeT]]) -> ASGIApp:
    """The ASGI app that lets local programs ask `node` for `operations`."""
    return Starlette(
        routes=[Route("/api/v0/{name:path}", Rpc(node, operations)), Route("/{path:path}", NotFound())],
        middleware=[Middleware(Guard)],
    )


class Rpc(Generic[NodeT]):
    """The endpoint of all operations."""

    def __init__(self, node: NodeT, operations: Mapping[str, Operation[NodeT]]) -> None:
        self._node = node
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await exchange(scope, receive, send, partial(self._perform, scope))

    async def _perform(self, scope: Scope, body: Body, reply: Reply) -> None:
        name = scope["path_params"]["name"]
        operation = self._operations.get(name)
        if operation is None:
            raise UnknownOperation(f"there is no command {name[:60]!a}")
        files: HandedFiles = scope["state"]["files"].claim()
        with _output(scope, files) as output:
            request = await _read_request(operation, scope, body, files)
            timeout = request.timeout
            with trio.move_on_after(math.inf if operation.enforces_timeout else timeout) as limit:
                await self._answer(operation, request, reply, output)
        if limit.cancelled_caught:
            raise TimedOut(f"{name.replace('/', ' ')} took longer than its timeout of {timeout:g} s")

    async def _answer(
        self, operation: Operation[NodeT], request: Request, reply: Reply, output: int | None
    ) -> None:
        match operation:
            case Unary():
                await reply.json(await operation.handler(self._node, request))
            case Records():
                await send_records(operation.handler(self._node, request), reply)
            case Stream():
                stream = await operation.handler(self._node, request)
                async with _closing(stream.chunks) as chunks:
                    if output is None:
                        await _send(stream, chunks, reply)
                    else:
                        await Pouring(output).run(chunks, reply, stream_headers(stream))
                if not reply.begun:
                    await reply.begin(stream_headers(stream))
                await reply.finish()


async def _send(stream: ByteStream, chunks: AsyncIterator[bytes | memoryview], reply: Reply) -> None:
    async for chunk in chunks:
        if not reply.begun:
            await reply.begin(stream_headers(stream))
        await reply.write(chunk)


@contextmanager
def _output(scope: Scope, files: HandedFiles) -> Iterator[int | None]:
    """The file that was handed over for the answer; None if it goes the usual way. Raises UsageError."""
    if all(name != b"x-handed-output" for name, _ in scope["headers"]):
        yield None
        return
    descriptor = files.take()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _read_request(operation: Operation[Any], scope: Scope, body: Body, files: HandedFiles) -> Request:
    args, options = parse_query(scope["query_string"], operation.repeatable)
    content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    delimiter = boundary(content_type)
    parts = no_parts() if delimiter is None else _parts(operation, body, delimiter, files)
    if operation.takes_parts and delimiter is None:
        raise UsageError(f"{operation.name} needs an upload of type multipart/form-data")
    if delimiter is not None and not operation.takes_parts and operation.max_args is None:
        args, parts = [*args, *await words(parts)], no_parts()
    if not operation.takes_parts:
        body.release()
    request = Request(tuple(args), options, parts)
    validate(operation, request)
    return request


def _parts(operation: Operation[Any], body: Body, delimiter: bytes, files: HandedFiles) -> PartReader:
    return PartReader(body, delimiter, files if operation.takes_files else files.claim())


def parse_query(query: bytes, repeatable: Set[str] = frozenset()) -> tuple[list[str], dict[str, str]]:
    """Split a query string into arguments and options.

    Raises UsageError if an option comes twice that is not `repeatable`.
    """
    args: list[str] = []
    options: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == "arg":
            args.append(value)
        elif name in options and name in repeatable:
            options[name] += f"\n{value}"
        elif name in options:
            raise UsageError(f"option {name[:60]!a} is given twice")
        else:
            options[name] = value
    return args, options


@asynccontextmanager
async def _closing(chunks: AsyncIterator[Any]) -> AsyncIterator[AsyncIterator[Any]]:
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


class NotFound:
    """The endpoint of every other path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        await exchange(scope, receive, send, self._respond)

    async def _respond(self, body: Body, reply: Reply) -> None:
        raise UnknownOperation("there is nothing at this path; commands are at /api/v0/")
