"""Servers of the LAN DHT, all in this process, until it is ended.

usage: dht_servers IP COUNT      prints the address of one of them, and "Servers are ready"
"""

from __future__ import annotations

import secrets
import sys

import trio

from peershelf.node.observe import logs
from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.routing.kad import LAN, Dht


async def start(nursery: trio.Nursery, ip: str) -> tuple[Libp2pNetwork, Dht]:
    """Run one node."""
    host = Libp2pNetwork(
        private_key=secrets.token_bytes(32), listen=[f"/ip4/{ip}/tcp/0"], agent="peershelf/bench"
    )
    dht = Dht(host, LAN, serve=True)
    await nursery.start(dht.run)
    await nursery.start(host.run)
    return host, dht


async def main(ip: str, count: int) -> None:
    """Each is told of the one before."""
    logs.configure("warning", "console")  # on standard error: nobody reads what follows on standard output
    async with trio.open_nursery() as nursery:
        hosts = [(await start(nursery, ip))[0] for _ in range(count)]
        for host, other in zip(hosts[1:], hosts, strict=False):
            await host.connect(other.addresses()[0])
        print(hosts[0].addresses()[0], flush=True)
        print("Servers are ready", flush=True)
        await trio.sleep_forever()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]))
