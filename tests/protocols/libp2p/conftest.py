"""Hosts on loopback."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

sys.path.insert(0, str(Path(__file__).parent / "tools"))


@pytest.fixture(scope="session")
def network_class() -> type[Any]:
    from peershelf.protocols.libp2p import Libp2pNetwork

    return Libp2pNetwork


@pytest.fixture
def make_host(network_class: type[Any]) -> Callable[..., Any]:
    """`make_host(security=…, limits=…)` makes a host that does not run yet."""

    def make(**options: Any) -> Any:
        settings = {"listen": ["/ip4/127.0.0.1/tcp/0"], "agent": "peershelf/test", **options}
        return network_class(private_key=secrets.token_bytes(32), **settings)

    return make


@pytest.fixture
def host(nursery: trio.Nursery, make_host: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """`await host(…)` makes a host and runs it until the test ends."""

    async def start(**options: Any) -> Any:
        made = make_host(**options)
        await nursery.start(made.run)
        return made

    return start


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """`await eventually(condition)` for what the other end of a socket does in its own time."""

    async def wait(condition: Callable[[], object], timeout: float = 5.0) -> None:
        with trio.fail_after(timeout):
            while not condition():  # noqa: ASYNC110 -- there is no event at the other end
                await trio.sleep(0.005)

    return wait


@pytest.fixture
def raw_stream() -> Callable[[Any, Any], Awaitable[Any]]:
    """`await raw_stream(ours, peer)` opens a py-libp2p stream without negotiating any protocol on it."""

    async def open_raw(ours: Any, peer: Any) -> Any:
        return await ours._keeper.table.of(peer)[-1].inner.new_stream()

    return open_raw
