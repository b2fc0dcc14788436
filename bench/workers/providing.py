"""Announces many CIDs to a DHT of our own nodes on loopback, all in this process, and measures what it takes.

usage: providing NODES KEYS      prints {"seconds", "messages", "connections", "records"}
"""

from __future__ import annotations

import json
import os
import sys
import time

import trio

from bench.workers.dht_servers import start
from peershelf.blockstore import multihash

LOOPBACK = "127.0.0.1"


async def main(nodes: int, keys: int) -> None:
    """Build the network, then announce."""
    async with trio.open_nursery() as nursery:
        network = [await start(nursery, LOOPBACK) for _ in range(nodes)]
        for (host, _), (other, _) in zip(network[1:], network, strict=False):
            await host.connect(other.addresses()[0])
        await trio.sleep(2)
        for _, dht in network:
            await dht.look_around()
        provider, dht = await start(nursery, LOOPBACK)
        await provider.connect(network[0][0].addresses()[0])
        await trio.sleep(2)
        before = dht.messages_sent
        started = time.perf_counter()
        records = await dht.provide(
            [multihash.multihash(multihash.SHA2_256, os.urandom(8)) for _ in range(keys)]
        )
        measured = {
            "seconds": time.perf_counter() - started,
            "messages": dht.messages_sent - before,
            "connections": len(provider.connections()),
            "records": records,
        }
        nursery.cancel_scope.cancel()
    print(json.dumps(measured))


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), int(sys.argv[2]))
