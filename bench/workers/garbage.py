"""Makes stores of very many small blocks, and measures what only a process that has one can.

usage: garbage fill REPO COUNT            pins a file of COUNT blocks of 128 bytes
       garbage garbage REPO COUNT         the same without a pin
       garbage rebuild REPO               prints {"seconds"}: opens the store without its index
       garbage beside REPO MB             prints {"alone", "beside", "collected", "pause"}

`beside` adds at 50 MB/s, first alone, then while the collection of all that is not pinned goes on: MB/s each,
the seconds that collecting took, and the longest time that trio's loop kept a task waiting meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.profiles import PROFILES, with_options
from peershelf.node import Node

_BLOCK = 128
_PIECE = 1 << 20
_RATE = 50e6


def fill(repo: Path, count: int, *, pin: bool = True) -> None:
    """Put a file of so many blocks; no two are the same."""
    profile = with_options(PROFILES["unixfs-v1-2025"], chunk_size=_BLOCK)
    with PackStore.open(repo) as store, Pins(repo / "facts.db") as pins:
        with Importer(lambda blocks: store.put_many(blocks, durable=False), profile) as importer:
            for _ in range(0, count, 8192):
                importer.write(os.urandom(8192 * _BLOCK))
            root = importer.finish().cid
        store.sync()
        if pin:
            pins.add(root)


def rebuild(repo: Path) -> None:
    """Open the store once its index is gone."""
    for path in repo.glob("index.*"):
        path.unlink()
    started = time.perf_counter()
    PackStore.open(repo).close()
    print(json.dumps({"seconds": time.perf_counter() - started}))


async def beside(repo: Path, megabytes: int) -> None:
    """Add with and without a collection."""
    async with Node(repo, online=False) as node:
        alone = await _add(node, megabytes)
        pauses: list[float] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, pauses)
            rates: list[float] = []

            async def add() -> None:
                rates.append(await _add(node, megabytes))

            started = time.perf_counter()
            nursery.start_soon(add)
            await node.collect_garbage()
            collected = time.perf_counter() - started
            while not rates:  # noqa: ASYNC110
                await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
    print(json.dumps({"alone": alone, "beside": rates[0], "collected": collected, "pause": max(pauses)}))


async def _add(node: Node, megabytes: int) -> float:
    started = time.perf_counter()
    await node.add(_paced(megabytes))
    return megabytes * 1e6 / (time.perf_counter() - started) / 1e6


async def _paced(megabytes: int) -> AsyncIterator[bytes]:
    """Random bytes, no faster than the rate."""
    sent, total, started = 0, megabytes * 1_000_000, time.perf_counter()
    while sent < total:
        yield os.urandom(min(_PIECE, total - sent))
        sent += _PIECE
        await trio.sleep(max(0.0, sent / _RATE - (time.perf_counter() - started)))


async def _watch(pauses: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await trio.sleep(0.005)
        pauses.append(time.perf_counter() - before - 0.005)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", path, count]:
            fill(Path(path), int(count))
        case ["garbage", path, count]:
            fill(Path(path), int(count), pin=False)
        case ["rebuild", path]:
            rebuild(Path(path))
        case ["beside", path, megabytes]:
            trio.run(beside, Path(path), int(megabytes))
