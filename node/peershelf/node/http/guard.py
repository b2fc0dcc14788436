"""Keeps web pages away from the local API.

Any page that the user visits can make the browser send requests to 127.0.0.1, and by DNS rebinding even
under a name of its own. A browser cannot help telling on itself, though: the Host it was given, the Origin
or Referer it came from, a Sec-Fetch-Site. Whatever names a place other than this very server is refused,
and so is every method but POST, which links and images cannot use.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from peershelf.node.http.reply import Reply, exchange
from peershelf.node.http.responses import error_record
from peershelf.node.http.upload import Body

_OWN_SITES = frozenset({"same-origin", "none"})


class Guard:
    """ASGI middleware that lets programs on this machine through and nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403, 405 or 505."""
        if scope["type"] != "http":
            return await _refuse_websocket(receive, send)
        refusal = _refusal(scope)
        if refusal is not None:
            return await exchange(scope, receive, send, refusal.respond)
        return await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def respond(self, body: Body, reply: Reply) -> None:
        await reply.json(error_record(self.status, self.message), status=self.status, headers=self.headers)


def _refusal(scope: Scope) -> _Refusal | None:
    # The Unix socket has no port; no browser can reach it.
    if scope["server"] is not None and (foreign := foreign_header(scope)):
        return _Refusal(403, f"requests of web pages are refused (header {foreign})")
    if scope["method"] != "POST":
        return _Refusal(405, "the API takes POST only", {"Allow": "POST"})
    if scope["http_version"] != "1.1":
        # Only HTTP/1.1 as served here shows a client that a streamed answer broke off.
        return _Refusal(505, "the API speaks HTTP/1.1 only")
    return None


def foreign_header(scope: Scope) -> str | None:
    """The name of a header that shows the request to come from elsewhere, or by a foreign name; else None."""
    port = scope["server"][1]
    hosts = list(_values(scope, b"host"))
    if len(hosts) != 1 or not is_own_host(hosts[0], port):
        return "Host"
    for name in ("Origin", "Referer"):
        if not all(_is_own_url(value, port) for value in _values(scope, name.lower().encode())):
            return name
    if not _OWN_SITES.issuperset(_values(scope, b"sec-fetch-site")):
        return "Sec-Fetch-Site"
    return None


def is_own_host(host: str, port: int) -> bool:
    """Whether `host` (as in a Host header) is a loopback name or address with our own port."""
    try:
        parts = urlsplit(f"//{host}")
        own_port = (parts.port or 80) == port
    except ValueError:
        return False
    return parts.netloc == host and "@" not in host and own_port and _is_loopback(parts.hostname or "")


def _is_own_url(url: str, port: int) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and is_own_host(parts.netloc, port)


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _values(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key == name)


async def _refuse_websocket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})
