"""One connection for a quarter of an hour: ten minutes without use, then five of load in both directions.

A separate command (`scripts/soak`), because of its length. All kinds of peers and channels run side by side.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import trio

from peershelf.node import Node

IDLE_SECONDS = float(os.environ.get("SOAK_IDLE", 600))
LOAD_SECONDS = float(os.environ.get("SOAK_LOAD", 300))
FILE_SIZE = 8 << 20
PAUSES = {"helia noise": 3.0}
"""Seconds between two rounds of a peer that keeps its blocks in memory."""


@pytest.mark.soak
@pytest.mark.timeout(IDLE_SECONDS + LOAD_SECONDS + 300)
async def test_a_connection_survives_ten_idle_minutes_and_five_of_load(kubo, helia, tmp_path: Path) -> None:
    peers = {
        "kubo noise": await kubo(profile="unixfs-v1-2025", security=["noise"]),
        "kubo tls": await kubo(profile="unixfs-v1-2025", security=["tls"]),
        "helia noise": await helia(),
    }
    settings = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"]}
    async with Node(tmp_path / "ours", settings=settings) as ours:
        for peer in peers.values():
            await ours.connect(peer.address)
        before = opened_at(ours)
        assert len(before) == len(peers)
        await trio.sleep(IDLE_SECONDS)
        assert opened_at(ours) == before, "a connection did not survive being idle"
        moved: dict[str, int] = {}
        async with trio.open_nursery() as nursery:
            for name, peer in peers.items():
                nursery.start_soon(load, ours, peer, name, tmp_path, moved)
        assert opened_at(ours) == before, "a connection did not survive the load"
        print({name: f"{size / 1e6:.0f} MB" for name, size in moved.items()})


async def load(ours: Node, peer: Any, name: str, tmp_path: Path, moved: dict[str, int]) -> None:
    """Move fresh files both ways until the time is up; every byte is checked."""
    end = trio.current_time() + LOAD_SECONDS
    moved[name] = 0
    while trio.current_time() < end:
        theirs, mine = (tmp_path / f"{name} {side}" for side in ("theirs", "ours"))
        for path in (theirs, mine):
            path.write_bytes(os.urandom(FILE_SIZE))
        assert await read(ours, await peer.add(theirs)) == digest(theirs.read_bytes()), name
        cid = str(await ours.add(mine))
        assert await fetched(peer, cid, tmp_path / f"{name} fetched") == digest(mine.read_bytes()), name
        moved[name] += 2 * FILE_SIZE
        await trio.sleep(PAUSES.get(name, 0.0))


async def read(ours: Node, cid: str) -> str:
    hasher = hashlib.sha256()
    with trio.fail_after(60):
        async for chunk in ours.cat(cid):
            hasher.update(chunk)
    return hasher.hexdigest()


async def fetched(peer: Any, cid: str, path: Path) -> str:
    if hasattr(peer, "fetch"):
        return str(await peer.fetch(cid, path))
    return digest(await peer.cat(cid))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def opened_at(ours: Node) -> dict[str, float]:
    return {str(connection.peer): connection.opened for connection in ours.online.host.connections()}
