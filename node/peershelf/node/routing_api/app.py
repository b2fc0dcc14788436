"""The endpoints of the routing API: each searches in the DHT, within bounds, and ends when its client goes.

Spec: https://specs.ipfs.tech/routing/http-routing-v1/
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.node.errors import UsageError
from peershelf.node.http.connection import Connection
from peershelf.node.http.places import Places
from peershelf.node.http.reply import Reply, exchange
from peershelf.node.http.upload import Body
from peershelf.node.peer_ids import parse_peer_id, parse_value_key
from peershelf.node.routing_api import headers
from peershelf.node.routing_api.filters import Filters, is_near
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.base import Found, PeerInfo, Router
from peershelf.protocols.routing.records import ipns
from peershelf.protocols.routing.records.namespaces import MAX_VALUE, check
from peershelf.protocols.routing.records.value import Value

log = structlog.get_logger(__name__)

PREFIX = "/routing/v1/"
_MOST_AT_ONCE, _MOST_OF_ONE = 32, 8
"""Requests that are served at a time; and of one address."""
_IN_A_DOCUMENT, _IN_LINES = 20, 100
"""Peers of an answer."""
SEARCH, STREAM = 8.0, 25.0
"""Seconds of a search whose answer is sent at its end, and of one that is sent as it goes."""
_LONGEST_PATH = 400
_CUT = 40.0
"""Seconds after which a client that does not read its answer loses its connection."""

Search = Callable[[Found], Awaitable[object]]


def build_routing_app(router: Router) -> ASGIApp:
    """The ASGI app that lets anybody have `router` search."""
    return RoutingApi(router)


class _Refused(Exception):
    """A request that is answered with an error, which is told in one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class RoutingApi:
    """Answers requests."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._places = Places(_MOST_AT_ONCE, _MOST_OF_ONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return

        async def respond(body: Body, reply: Reply) -> None:
            async with _cut_after(_CUT, scope["state"]["connection"]):
                await self._respond(scope, body, reply)

        await exchange(scope, receive, send, respond)

    async def _respond(self, scope: Scope, body: Body, reply: Reply) -> None:
        try:
            if scope["http_version"] != "1.1":
                raise _Refused(505, "this speaks HTTP/1.1 only")
            with self._places.place(scope["client"][0]) as placed:
                if not placed:
                    raise _Refused(429, "too many requests at a time: try again soon")
                await self._route(scope, body, reply)
        except _Refused as refused:
            await _text(reply, refused.status, str(refused))
        except (UsageError, InvalidCid, InvalidRecord) as error:
            await _text(reply, 400, str(error))

    async def _route(self, scope: Scope, body: Body, reply: Reply) -> None:
        method, path = scope["method"], scope["path"]
        if len(path) > _LONGEST_PATH:
            raise _Refused(400, "no CID and no name is as long as this")
        if method == "OPTIONS":
            return await _text(reply, 200, "")
        match path.removeprefix(PREFIX).split("/") if path.startswith(PREFIX) else ():
            case ["providers", name] if method == "GET":
                body.release()
                cid = Cid.parse(name)
                return await self._peers(
                    scope, reply, "Providers", lambda found: self._router.find_providers(cid, found)
                )
            case ["peers", name] if method == "GET":
                body.release()
                peer = parse_peer_id(name)

                def note(found: Found) -> Found:
                    return lambda info: found(info) if info.peer == peer else None

                return await self._peers(
                    scope, reply, "Peers", lambda found: self._router.find_peer(peer, note(found))
                )
            case ["ipns", name] if method == "GET":
                body.release()
                return await self._get(scope, reply, parse_value_key(f"/ipns/{name}"))
            case ["ipns", name] if method == "PUT":
                return await self._put(scope, body, reply, parse_value_key(f"/ipns/{name}"))
            case ["providers" | "peers" | "ipns", _] | ["dht", "closest", "peers", _]:
                raise _Refused(501, "this is not offered here")
        raise _Refused(400, f"there is nothing here: paths begin with {PREFIX}providers, peers or ipns")

    async def _peers(self, scope: Scope, reply: Reply, field: str, search: Search) -> None:
        filters = Filters.parse(scope["query_string"], from_afar=_is_from_afar(scope))
        if headers.accepts(scope, headers.LINES):
            async with _searching(search, filters, _IN_LINES, STREAM) as infos:
                await _send_lines(reply, infos)
            return
        async with _searching(search, filters, _IN_A_DOCUMENT, SEARCH) as infos:
            records = [_record(info) async for info in infos]
        head = headers.of_peers(headers.JSON, found=bool(records), now=time.time())
        await _whole(reply, 200, head, json.dumps({field: records}).encode())

    async def _get(self, scope: Scope, reply: Reply, key: bytes) -> None:
        if not headers.accepts(scope, headers.RECORD, "application/*", "*/*"):
            raise _Refused(406, f"names have records: ask again with `Accept: {headers.RECORD}`")
        better: list[Value] = []
        with trio.move_on_after(SEARCH):
            await self._router.get_value(key, better.append)
        if not better:
            # By the specification anything but a record means that there is none.
            head = headers.of_peers("text/plain; charset=utf-8", found=False, now=time.time())
            return await _whole(reply, 200, head, b"no record of this name was found\n")
        data = better[-1].data
        record = ipns.read(key.removeprefix(b"/ipns/"), data)
        return await _whole(reply, 200, headers.of_record(data, record, time.time()), data)

    async def _put(self, scope: Scope, body: Body, reply: Reply, key: bytes) -> None:
        content_type = headers.header(scope, b"content-type").partition(";")[0].strip().lower()
        if content_type != headers.RECORD:
            raise _Refused(406, f"names have records: send one with `Content-Type: {headers.RECORD}`")
        value = check(key, await _read(body), time.time())
        better: list[Value] = []
        taken = 0
        with trio.move_on_after(STREAM):
            taken = await self._router.put_value(key, value, better.append)
        if better:
            raise _Refused(400, "a newer record of this name is known")
        if not taken:
            raise _Refused(503, "nobody was there to take the record")
        await _text(reply, 200, "")


def _is_from_afar(scope: Scope) -> bool:
    """Whether a client may be anywhere. What comes through a proxy is: the proxy is near, its client not."""
    proxied = any(headers.header(scope, name) for name in (b"forwarded", b"x-forwarded-for", b"via"))
    return proxied or not is_near(scope["client"][0])


@asynccontextmanager
async def _searching(
    search: Search, filters: Filters, most: int, seconds: float
) -> AsyncIterator[AsyncIterator[PeerInfo]]:
    """Iterate over the peers that a search finds, each once, until there are enough or time is up."""
    into, out_of = trio.open_memory_channel[PeerInfo](most)
    told: set[str] = set()

    def found(info: PeerInfo) -> None:
        wanted = filters.apply(info) if info.peer not in told else None
        if wanted is not None and len(told) < most:
            told.add(wanted.peer)
            into.send_nowait(wanted)
            if len(told) == most:
                scope.cancel()

    async def run() -> None:
        with into, scope:
            await search(found)

    scope = trio.CancelScope(deadline=trio.current_time() + seconds)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        with out_of:
            yield out_of
        nursery.cancel_scope.cancel()


async def _send_lines(reply: Reply, infos: AsyncIterator[PeerInfo]) -> None:
    """Send a line for each peer as it is found; whether there is any decides on the head."""

    async def begin(*, found: bool) -> None:
        if not reply.begun:
            await reply.begin(headers.of_peers(headers.LINES, found=found, now=time.time()))

    async for info in infos:
        await begin(found=True)
        await reply.write(json.dumps(_record(info)).encode() + b"\n")
    await begin(found=False)
    await reply.finish()


def _record(info: PeerInfo) -> dict[str, object]:
    return {"Schema": "peer", "ID": info.peer, "Addrs": list(info.addresses), "Protocols": []}


async def _read(body: Body) -> bytes:
    """The whole of a body that is a record. Raises _Refused."""
    data = bytearray()
    with trio.move_on_after(SEARCH):
        while piece := await body.read():
            data += piece
            if len(data) > MAX_VALUE:
                raise _Refused(400, f"a record has at most {MAX_VALUE} bytes")
        body.release()
        return bytes(data)
    raise _Refused(408, "the record did not arrive in time")


async def _text(reply: Reply, status: int, text: str) -> None:
    head = headers.common("text/plain; charset=utf-8")
    if status == 429:
        head["Retry-After"] = "1"
    await _whole(reply, status, head, f"{text}\n".encode() if text else b"")


async def _whole(reply: Reply, status: int, head: dict[str, str], data: bytes) -> None:
    await reply.begin({**head, "Content-Length": str(len(data))}, status=status)
    await reply.write(data)
    await reply.finish()


@asynccontextmanager
async def _cut_after(seconds: float, connection: Connection) -> AsyncIterator[None]:
    """Cut a connection whose answer is not over by then: Hypercorn's sends cannot be cancelled."""

    async def cut() -> None:
        await trio.sleep(seconds)
        connection.disconnect()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cut)
        yield
        nursery.cancel_scope.cancel()
