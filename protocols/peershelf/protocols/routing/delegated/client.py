"""Asking one router over HTTP.

Spec: https://specs.ipfs.tech/routing/http-routing-v1/
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog
import trio

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.errors import InvalidRecord, RemoteProtocolError
from peershelf.protocols.routing.base import Found, FoundValue, Observe, PeerInfo, ignore
from peershelf.protocols.routing.delegated import naming
from peershelf.protocols.routing.delegated.pausing import Pause
from peershelf.protocols.routing.delegated.reach import is_near, only_public
from peershelf.protocols.routing.delegated.records import Reader, reader_of
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

TIMEOUT = 10.0
"""Seconds for one answer, from the first byte of the question to the last byte of it."""
CONNECT_TIMEOUT = 5.0
MAX_ANSWER = 1 << 20
"""Bytes that are read of one answer."""

_MAX_REDIRECTS = 3
_MOST_CONNECTIONS = 8
_HEADERS = {
    "Accept": "application/x-ndjson, application/json;q=0.9",
    # What is compressed has no size that is known beforehand.
    "Accept-Encoding": "identity",
    "User-Agent": "peershelf",
}

_PATH = "/routing/v1"


class DelegatedRouter:
    """A `Router` that has another node search. Asks only while run() runs.

    Args:
        url: the router's, http or https, without /routing/v1.
        own: this node, which is not told of itself.
    """

    def __init__(self, url: str, own: PeerId) -> None:
        self._url = url.rstrip("/") + _PATH
        self._own = own
        self._near = is_near(url)
        self._client: httpx.AsyncClient | None = None
        self._pause = Pause()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep connections to the router until cancelled."""
        # Importing httpx and reading the certificates takes a tenth of a second.
        async with await trio.to_thread.run_sync(_new_client) as client:
            self._client = client
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._client = None

    @property
    def name(self) -> str:
        """The router's URL."""
        return f"router {self._url.removesuffix(_PATH)}"

    async def find_providers(self, cid: Cid, found: Found, observe: Observe = ignore) -> int:
        """Ask for peers that have a block; tells of each as soon as its line has come."""
        as_v1 = Cid.v1(cid.codec, cid.multihash)
        answered = await self._ask(f"providers/{as_v1}", "Providers", found)
        observe("answered" if answered else "was left alone or failed")
        return answered

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        """Ask where a peer is."""

        def about_it(info: PeerInfo) -> None:
            if info.peer == peer and info.addresses:
                found(info)

        return await self._ask(f"peers/{Cid.v1(LIBP2P_KEY, peer_bytes(peer))}", "Peers", about_it)

    async def provide(self, keys: Sequence[bytes]) -> int:
        """Announce nothing: the specification's way to do it is a draft that routers do not offer."""
        return 0

    async def get_value(self, key: bytes, found: FoundValue, observe: Observe = ignore) -> int:
        """Ask for the record of a name; other values a router has none of."""
        path = naming.path_of(key)
        if path is None:
            return 0

        async def read(response: httpx.Response) -> None:
            data = await naming.read_record(response)
            self._pause.succeeded()
            if data is None:
                return
            try:
                found(check(key, data, time.time()))
            except InvalidRecord as error:
                # What the router was given by others is no reason to ask it for nothing else.
                log.debug("router_has_invalid_record", router=self._url, reason=str(error))

        async def ask(client: httpx.AsyncClient) -> None:
            await self._get(client, path, read, naming.ACCEPT)

        answered = await self._attempt(ask)
        observe("answered" if answered else "was left alone or failed")
        return answered

    async def put_value(self, key: bytes, value: Value, found: FoundValue) -> int:
        """Have the router publish the record of a name. Many do not, which is no failure."""
        path, taken = naming.path_of(key), False
        if path is None:
            return 0

        async def put(client: httpx.AsyncClient) -> None:
            nonlocal taken
            url = f"{self._url}/{path}"
            async with client.stream("PUT", url, content=value.data, headers=naming.CONTENT) as response:
                taken = response.status_code == 200

        await self._attempt(put)
        return int(taken)

    async def _ask(self, path: str, field: str, found: Found) -> int:
        async def read(response: httpx.Response) -> None:
            await self._read(response, field, found)

        return await self._attempt(lambda client: self._get(client, path, read))

    async def _attempt(self, do: Callable[[httpx.AsyncClient], Awaitable[None]]) -> int:
        """Do something once; returns 1, or 0 where the router is left alone or fails."""
        import httpx

        client = self._client
        if client is None or self._pause.lasts(trio.current_time()):
            return 0
        # Silence is no failure: a router that searches for what nobody has may search for longer than this.
        with trio.move_on_after(TIMEOUT):
            try:
                await do(client)
            except (httpx.HTTPError, httpx.InvalidURL, RemoteProtocolError, OSError) as error:
                pause = self._pause.failed(trio.current_time())
                log.debug("router_failed", router=self._url, reason=_reason(error), pause=round(pause))
                return 0
        return 1

    async def _get(
        self,
        client: httpx.AsyncClient,
        path: str,
        read: Callable[[httpx.Response], Awaitable[None]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Get what is at a path, and have the answer read. Raises RemoteProtocolError, and httpx's errors."""
        import httpx

        url = httpx.URL(f"{self._url}/{path}")
        for _ in range(_MAX_REDIRECTS + 1):
            async with client.stream("GET", url, headers=headers) as response:
                if response.next_request is None:
                    await read(response)
                    return
                target = response.next_request.url
            # The user named one host: it may not send us to others, such as those of our own network.
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                raise RemoteProtocolError(f"it redirects to {target.scheme}://{target.host}")
            url = target
        raise RemoteProtocolError("it redirects too often")

    async def _read(self, response: httpx.Response, field: str, found: Found) -> None:
        if response.status_code == 404:
            self._pause.succeeded()
            return
        reader = _reader_for(response, field)
        self._pause.succeeded()
        left = MAX_ANSWER
        # httpx nests generators, and leaves the inner ones to the garbage collector where a loop over the
        # outermost is left early. Cancelling the next read unwinds them all.
        with trio.CancelScope() as enough:
            async for piece in response.aiter_raw():
                self._tell(reader.feed(piece[:left]), found)
                left = max(left - len(piece), 0)
                if not left or reader.full:
                    enough.cancel()
        if enough.cancelled_caught:
            log.debug("router_answer_cut", router=self._url)
            return
        # A document is read as one, and thousands of addresses can be made to take seconds.
        self._tell(await trio.to_thread.run_sync(reader.end, abandon_on_cancel=True), found)

    def _tell(self, infos: Sequence[PeerInfo], found: Found) -> None:
        for info in infos:
            if info.peer != self._own:
                found(info if self._near else only_public(info))


def _reader_for(response: httpx.Response, field: str) -> Reader:
    """Return what reads an answer. Raises RemoteProtocolError for one that is none."""
    if response.status_code != 200:
        raise RemoteProtocolError(f"it answers with HTTP status {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise RemoteProtocolError("its answer is encoded in a way that was not asked for")
    reader = reader_of(response.headers.get("Content-Type", ""), field)
    if reader is None:
        raise RemoteProtocolError("its answer is no JSON")
    return reader


def _reason(error: BaseException) -> str:
    """Return the first words to be had: under httpx's errors lie others, and not each of them has any."""
    name, cause = type(error).__name__, error
    while not str(cause) and (deeper := cause.__cause__ or cause.__context__):
        cause = deeper
    return (str(cause) or name)[:200]


def _new_client() -> httpx.AsyncClient:
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx

    return httpx.AsyncClient(
        headers=_HEADERS,
        # Nothing is to be kept for the router that it could know us by, or fill the memory with.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=_MOST_CONNECTIONS),
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        # Neither proxies nor passwords of the user's own browsing: peers are dialed without them, too.
        trust_env=False,
    )
