"""Fixtures that start other people's IPFS nodes, and stop them for sure. README.md shows how to use them."""

from __future__ import annotations

import inspect
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

sys.path.insert(0, str(Path(__file__).parent / "peers"))

import helia_peer
import kubo_peer
import peer_cache

# Nodes of tests are not to meet one another, nor whoever else is on the network of this machine.
os.environ["PEERSHELF_DISCOVERY_MDNS_ENABLED"] = "false"
# Nor are they to obey the denylists of this machine.
os.environ["PEERSHELF_DENYLISTS_DIRECTORIES"] = "[]"

_RECIPES = {"kubo": kubo_peer.RECIPE, "ipfs": kubo_peer.RECIPE, "helia": helia_peer.RECIPE}
_unavailable: dict[str, str] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the collected tests need before the first one's clock starts to run."""
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if session.config.option.collectonly:
        return
    for name in sorted(wanted & _RECIPES.keys()):
        try:
            peer_cache.installed(_RECIPES[name])
        except peer_cache.PeerUnavailable as error:
            _unavailable[name] = str(error)


@pytest.fixture
def kubo(tmp_path: Path) -> Iterator[Callable[..., Awaitable[kubo_peer.Kubo]]]:
    """`await kubo(profile=…, security=…, configure=…)` starts a Kubo daemon."""
    _require("kubo")
    yield from _start_and_stop(kubo_peer.Kubo, tmp_path)


@pytest.fixture
def helia(tmp_path: Path) -> Iterator[Callable[..., Awaitable[helia_peer.Helia]]]:
    """`await helia()` starts a Helia node."""
    _require("helia")
    yield from _start_and_stop(helia_peer.Helia, tmp_path)


@pytest.fixture
def ipfs(tmp_path: Path) -> Callable[..., Awaitable[bytes]]:
    """`await ipfs("--api", ADDRESS, "id")` runs Kubo's command line without a daemon of its own."""
    _require("ipfs")
    return partial(kubo_peer.run_ipfs, tmp_path / "no-repo")


def _require(name: str) -> None:
    if name in _unavailable:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(_unavailable[name])


def _start_and_stop(kind: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Awaitable[Any]]]:
    """Yield what starts peers; stop them all, however the test ends. Not async, so that no crash skips it."""
    started: list[Any] = []

    async def start(**options: Any) -> Any:
        directory = tmp_path / f"{kind.__name__.lower()}-{len(started)}"
        directory.mkdir()
        peer = kind(directory, **options)
        started.append(peer)
        await peer.start()
        return peer

    try:
        yield start
    finally:
        for peer in started:
            peer.stop()


@pytest.fixture
def host(nursery: trio.Nursery) -> Callable[..., Awaitable[Any]]:
    """`await host(security=…)` runs one of our libp2p hosts on loopback; it ends with the test."""
    from peershelf.protocols.libp2p import Libp2pNetwork

    async def start(**options: Any) -> Libp2pNetwork:
        settings = {"listen": ["/ip4/127.0.0.1/tcp/0"], "agent": "peershelf/interop", **options}
        network = Libp2pNetwork(private_key=secrets.token_bytes(32), **settings)
        await nursery.start(network.run)
        return network

    return start


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """`await eventually(condition)` asks a plain or async function until it says something true."""

    async def wait(condition: Callable[[], Any], timeout: float = 5.0) -> None:
        with trio.fail_after(timeout):
            while not (await answer if inspect.isawaitable(answer := condition()) else answer):  # noqa: ASYNC110
                await trio.sleep(0.02)

    return wait
