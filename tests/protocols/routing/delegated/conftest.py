"""Servers that answer, and routers that ask them."""

from __future__ import annotations

import pytest
import trio
from http_routers import OWN, Handler, Server

from peershelf.protocols.routing.delegated import DelegatedRouter


@pytest.fixture
def serve(nursery: trio.Nursery):
    async def start(handler: Handler | bytes) -> Server:
        server = Server(handler)
        await nursery.start(server.run)
        return server

    return start


@pytest.fixture
def router(nursery: trio.Nursery):
    async def start(url: str) -> DelegatedRouter:
        made = DelegatedRouter(url, OWN)
        await nursery.start(made.run)
        return made

    return start
