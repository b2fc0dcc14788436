"""A router that knows what a test says, and whom and what the tests speak of."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import trio
from ipns_records import ed25519

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

OWN = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
NEAR, FAR = "/ip4/192.168.1.7/tcp/4001", "/ip4/8.8.8.8/tcp/4001"
CID = Block.create(b"wanted").cid
OWNER = ed25519()
NAME = Cid.v1(LIBP2P_KEY, OWNER.name)
RECORD = OWNER.record(3)
RECORD_TYPE = "application/vnd.ipfs.ipns-record"
LINES = {"Accept": "application/x-ndjson"}


class FakeRouter:
    """Knows what a test says, and searches until it is told to end."""

    name = "fake"

    def __init__(self) -> None:
        self.infos: list[PeerInfo] = []
        self.values: list[bytes] = []
        self.put: list[tuple[bytes, bytes]] = []
        self.taken = 1
        self.ends = trio.Event()
        self.ends.set()
        self.searches = 0
        self.cancelled = trio.Event()

    async def find_providers(self, cid: Cid, found: Callable[[PeerInfo], None], observe=None) -> int:
        assert cid == CID
        return await self._search(lambda: [found(info) for info in self.infos])

    async def find_peer(self, peer: PeerId, found: Callable[[PeerInfo], None]) -> int:
        assert peer == PEER
        return await self._search(lambda: [found(info) for info in self.infos])

    async def get_value(self, key: bytes, found: Callable[[Value], None], observe=None) -> int:
        return await self._search(lambda: [found(check(key, one, 0.0)) for one in self.values])

    async def put_value(self, key: bytes, value: Value, found: Callable[[Value], None]) -> int:
        self.put.append((key, value.data))
        for one in self.values:
            found(check(key, one, 0.0))
        return self.taken

    async def _search(self, tell: Callable[[], object]) -> int:
        self.searches += 1
        tell()
        try:
            await self.ends.wait()
        except trio.Cancelled:
            self.cancelled.set()
            raise
        finally:
            self.searches -= 1
        return 1


def lines(response: httpx.Response) -> list[dict[str, object]]:
    return [json.loads(line) for line in response.text.splitlines()]
