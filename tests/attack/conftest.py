"""A running daemon under attack, and the tools to attack it with.

The tools are modules of their own in `tools/`; tests reach them through these fixtures.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

sys.path.insert(0, str(Path(__file__).parent / "tools"))

import broken as brokens
import forgeries as forgers
import handmade
import lies as liars
import rekeying as rekeys
import secured
import siege as sieges
import stranger as strangers
import victim as victims

SETTINGS = {
    # Small enough that a test can exceed them, and see what a stall costs.
    "Bitswap.MaxBuffered": "32MiB",
    "Bitswap.MaxBufferedPerPeer": "8MiB",
    "Bitswap.StallTimeout": "3s",
}


@pytest.fixture(scope="session", autouse=True)
def many_descriptors() -> None:
    """Attackers need a lot of them; the daemon is started with the same limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def new_victim(
    tmp_path_factory: pytest.TempPathFactory, shelf_at: Callable[[Path], Any]
) -> Callable[..., AbstractContextManager[Any]]:
    """`with new_victim({"Some.Setting": "value"}) as victim:` runs another daemon to attack."""

    @contextmanager
    def run(settings: Mapping[str, str]) -> Iterator[Any]:
        shelf = shelf_at(tmp_path_factory.mktemp("victim") / "shelf")
        with victims.victim(shelf, os.urandom(20 * sieges.MIB), {**SETTINGS, **settings}) as running:
            trio.run(_warm_up, running)
            yield running

    return run


@pytest.fixture(scope="session")
def victim(new_victim: Callable[..., AbstractContextManager[Any]]) -> Iterator[Any]:
    """One daemon for all attacks: it has to live through them."""
    with new_victim({}) as running:
        yield running


async def _warm_up(victim: victims.Victim) -> None:
    """Let the daemon make what it makes once, so that it is not taken for a leak."""
    async with sieges.honest_peer(victim) as exchange:
        await exchange.get_block(victim.blocks[0].cid)
    async with secured.secured(victim.port, victim.peer):
        pass
    for _ in range(3):
        await victim.peers()


@pytest.fixture
def siege(victim: Any) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """`async with siege(memory=…):` attack, while an honest peer transfers; fails unless all stays well."""
    return partial(sieges.siege, victim)


@pytest.fixture
def upload() -> Any:
    """The transfer of `siege` unless it is told otherwise: an honest peer takes the victim's blocks."""
    return sieges.upload


@pytest.fixture
def new_transfer() -> Any:
    """`new_transfer()` is what `upload` and `download` tell their state to."""
    return sieges.Transfer


@pytest.fixture
def download() -> Any:
    """`siege(…, transfer=download)`: the victim takes blocks instead of giving them."""
    return sieges.download


@pytest.fixture
def wire(victim: Any) -> Callable[[], AbstractAsyncContextManager[Any]]:
    """`async with wire() as tcp:` speaks bytes by hand."""
    return partial(secured.wire, victim.port)


@pytest.fixture
def secured_peer(victim: Any) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """`async with secured_peer() as peer:` speaks Yamux by hand."""
    return partial(secured.secured, victim.port, victim.peer)


@pytest.fixture
def stranger(victim: Any) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """`async with stranger(react) as peer:` speaks bitswap by hand."""
    return partial(strangers.stranger, victim)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """`await eventually(ask, answer)` for what the victim does in its own time."""

    async def wait(ask: Callable[[], Awaitable[object]], answer: object) -> None:
        with trio.fail_after(secured.PATIENCE):
            while await ask() != answer:  # noqa: ASYNC110 -- there is no event at the other end
                await trio.sleep(0.05)

    return wait


@pytest.fixture
def many() -> Callable[..., AbstractAsyncContextManager[Any]]:
    """`async with many(number, make) as all:` enters so many of what `make()` returns."""

    @asynccontextmanager
    async def enter(number: int, make: Callable[[], AbstractAsyncContextManager[Any]]) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(make()) for _ in range(number)]

    return enter


@pytest.fixture(scope="session")
def by_hand() -> ModuleType:
    """The module `handmade`."""
    return handmade


@pytest.fixture(scope="session")
def broken() -> ModuleType:
    """The module `broken`."""
    return brokens


@pytest.fixture(scope="session")
def forgeries() -> ModuleType:
    """The module `forgeries`."""
    return forgers


@pytest.fixture(scope="session")
def lies() -> ModuleType:
    """The module `lies`."""
    return liars


@pytest.fixture(scope="session")
def rekeying() -> ModuleType:
    """The module `rekeying`."""
    return rekeys


@pytest.fixture(scope="session")
def handshakes() -> ModuleType:
    """The module `secured`."""
    return secured


@pytest.fixture(scope="session")
def is_cut_off() -> Any:
    """`await is_cut_off(tcp)` fails unless the victim closes a connection."""
    return secured.is_cut_off


@pytest.fixture(scope="session")
def is_reset() -> Any:
    """`await is_reset(stream)` fails unless the victim resets it."""
    return strangers.is_reset
