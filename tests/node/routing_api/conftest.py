"""The routing API on a port of its own, a router behind it, and a client."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
import trio

sys.path.insert(0, str(Path(__file__).parent / "tools"))
sys.path.insert(0, str(Path(__file__).parents[2] / "protocols" / "routing" / "tools"))

from fake_router import FakeRouter

from peershelf.node.http.server import HttpServer
from peershelf.node.routing import Routing
from peershelf.node.routing_api import build_routing_app


@pytest.fixture
def router() -> FakeRouter:
    return FakeRouter()


@pytest.fixture
async def url(nursery: trio.Nursery, router: FakeRouter) -> str:
    server = HttpServer(
        build_routing_app(Routing([router])), "/ip4/127.0.0.1/tcp/0", "Addresses.Routing", for_strangers=True
    )
    bound: str = await nursery.start(server.run)
    return f"http://127.0.0.1:{bound.rpartition('/')[2]}"


@pytest.fixture
async def client(url: str):
    async with httpx.AsyncClient(base_url=url, trust_env=False) as made:
        yield made
