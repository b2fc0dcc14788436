"""Fetches blocks from one peer in one session of a node of its own.

usage: fetch_many REPO ADDRESS LIST_OF_CIDS; prints {"seconds", "cpu", "peak", "bytes", "security"}
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import trio

from peershelf.blockstore.cid import Cid
from peershelf.node import Node

_IN_FLIGHT = 4096
"""Blocks asked for and not here yet: 16 MiB of 4 KiB, as a file that is read has."""
_SETTLE = 0.3


async def main(repo: str, address: str, cids: Sequence[Cid]) -> None:
    """Connect, fetch, tell how it went."""
    async with Node(repo) as node:
        await node.connect(address)
        await trio.sleep(_SETTLE)
        before = _cpu()
        start = time.perf_counter()
        size = await fetch(node, cids)
        seconds = time.perf_counter() - start
        security = ", ".join(sorted({one.security for one in node.online.host.connections()}))
        figures = {"seconds": seconds, "cpu": _cpu() - before, "bytes": size, "security": security}
    print(json.dumps({**figures, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


async def fetch(node: Node, cids: Sequence[Cid]) -> int:
    """Return the bytes of all blocks, each of which was checked against its CID on arrival."""
    size = done = asked = 0
    async with node.blocks.fetcher() as fetcher:
        while done < len(cids):
            if asked - done <= _IN_FLIGHT // 2:
                more = cids[asked : done + _IN_FLIGHT]
                fetcher.want(more)
                asked += len(more)
            for block in (await fetcher.receive()).blocks:
                size += len(block.data)
                done += 1
    return size


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    wanted = [Cid.parse(line) for line in Path(sys.argv[3]).read_text().split()]
    trio.run(main, sys.argv[1], sys.argv[2], wanted)
