"""Kubo's own command line drives our daemon through the local API."""

import json
import random
from pathlib import Path

import pytest
from peer_process import PeerFailed


@pytest.fixture
async def ipfs(kubo, shelf):
    """Runs `ipfs --api OURS …`."""
    program = await kubo()
    with shelf.running():

        async def run(*words: str, data: bytes | None = None) -> bytes:
            return await program.cli_bytes("--api", shelf.api, *words, data=data)

        yield run


async def test_id(ipfs, shelf) -> None:
    told = json.loads(await ipfs("id"))
    assert told == json.loads(shelf("id", "--json"))
    assert told["AgentVersion"].startswith("peershelf/")


async def test_add_and_cat(ipfs, shelf, tmp_path: Path) -> None:
    file = tmp_path / "a file & more"
    file.write_bytes(random.Random(4).randbytes(5_000_000))
    line = (await ipfs("add", str(file))).decode()
    cid = shelf.text("add", "-Q", file)
    assert line == f"added {cid} a file & more\n"
    assert await ipfs("cat", cid) == file.read_bytes()
    assert await ipfs("cat", "--offset=4999990", "--length=5", cid) == file.read_bytes()[-10:-5]
    assert (await ipfs("add", "-Q", "-n", "--cid-version=0", str(file))).startswith(b"Qm")


async def test_add_from_standard_input(ipfs) -> None:
    cid = (await ipfs("add", "-Q", data=b"from a pipe")).decode().strip()
    assert await ipfs("cat", cid) == b"from a pipe"


async def test_block_commands(ipfs) -> None:
    cid = (await ipfs("block", "put", data=b"a block")).decode().strip()
    assert await ipfs("block", "get", cid) == b"a block"
    assert await ipfs("block", "stat", cid) == f"Key: {cid}\nSize: 7\n".encode()
    assert await ipfs("block", "rm", cid) == f"removed {cid}\n".encode()
    with pytest.raises(PeerFailed):
        await ipfs("--timeout=1s", "--offline", "block", "get", cid)


async def test_refs_local_and_repo_stat(ipfs) -> None:
    cid = (await ipfs("block", "put", data=b"counted")).decode().strip()
    assert cid in (await ipfs("refs", "local")).decode().split()
    assert b"NumObjects: 1" in await ipfs("repo", "stat")


async def test_swarm_commands(ipfs, kubo, shelf) -> None:
    other = await kubo()
    assert await ipfs("swarm", "connect", other.address) == f"connect {other.peer_id} success\n".encode()
    assert (await ipfs("swarm", "peers")).decode().strip() == other.address
    assert other.peer_id in (await ipfs("swarm", "peers", "-v")).decode()
    assert (await ipfs("swarm", "addrs", "local", "--id")).decode().split() == sorted(shelf.addresses)
    assert b"Average latency" in await ipfs("ping", "-n", "1", other.peer_id)
    assert b"success" in await ipfs("swarm", "disconnect", other.address)
    assert await ipfs("swarm", "peers") == b""


async def test_swarm_resources(ipfs, kubo) -> None:
    other = await kubo()
    await ipfs("swarm", "connect", other.address)
    table = [line.split() for line in (await ipfs("swarm", "resources")).decode().splitlines()]
    assert ["system", "Conns", "128", "1", "0.8%"] in table
    assert ["transient", "ConnsInbound", "32", "0", "0%"] in table


async def test_stats_bw(ipfs, kubo, shelf) -> None:
    other = await kubo()
    await ipfs("swarm", "connect", other.address)
    await ipfs("ping", "-n", "1", other.peer_id)
    shown = (await ipfs("stats", "bw")).decode()
    theirs = await other.cli("stats", "bw")
    assert titles(shown) == titles(theirs) == ["Bandwidth", "TotalIn", "TotalOut", "RateIn", "RateOut"]
    assert "TotalOut: 32 B" in (await ipfs("stats", "bw", "--proto", "/ipfs/ping/1.0.0")).decode()
    assert b"TotalIn: 0" not in await ipfs("stats", "bw", "--peer", other.peer_id)
    with pytest.raises(PeerFailed, match="Error"):
        await ipfs("stats", "bw", "--peer", other.peer_id, "--proto", "/ipfs/ping/1.0.0")


def titles(shown: str) -> list[str]:
    return [line.partition(":")[0] for line in shown.splitlines()]


async def test_errors_arrive_as_errors(ipfs) -> None:
    for words in (("cat", "nonsense"), ("swarm", "connect", "/ip4/127.0.0.1/tcp/1"), ("block", "get", "Qm")):
        with pytest.raises(PeerFailed, match="Error"):
            await ipfs(*words)
