"""The DHT with Kubo on loopback: who provides and who seeks are not connected, and find each other."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

SIZE = 300_000


def configure(config: dict[str, Any]) -> None:
    config["Routing"] = {"Type": "dhtserver", "DelegatedRouters": [], "LoopbackAddressesOnLanDHT": True}
    config["Provide"] = {"Enabled": True, "Strategy": "roots"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(random.Random(6).randbytes(SIZE))
    return path


async def ours_in_the_dht(new_shelf, kubos) -> Any:
    shelf = new_shelf()
    shelf("config", "set", "Routing.Type", "dhtserver")
    return shelf


async def test_we_find_what_kubo_provides(kubo, new_shelf, content, eventually) -> None:
    kubos = [await kubo(configure=configure) for _ in range(3)]
    for one, other in zip(kubos, kubos[1:], strict=False):
        await one.connect(other.address)
    cid = await kubos[0].add(content)
    await kubos[0].cli("routing", "provide", cid)
    shelf = await ours_in_the_dht(new_shelf, kubos)
    with shelf.running():
        shelf("swarm", "connect", kubos[-1].address)
        assert shelf("cat", "--timeout", "30s", cid, timeout=60) == content.read_bytes()
        assert kubos[0].peer_id in shelf.text("swarm", "peers")
