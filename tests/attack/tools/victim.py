"""The node under attack: the real daemon as its own process, and what can be seen of it from outside."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import psutil
import trio

from peershelf.blockstore.block import Block

ANSWER_TIMEOUT = 20.0
SPARE = {
    "descriptors": 8,  # the store opens files when it first needs them
    "peershelf.protocols.bitswap.messages.Prefix": 64,  # a cache of this size
    "peershelf.protocols.bitswap.session.Want": 64,  # of what the daemon itself asked for
    "peershelf.protocols.libp2p.backoff._Pause": 1024,  # addresses that could not be reached
    "peershelf.protocols.libp2p.addresses.Target": 1024,
    "peershelf.protocols.routing.kad.providers._Provider": 64,  # who has announced something
    "peershelf.protocols.routing.kad.messages.Contact": 64,
    "peershelf.protocols.routing.kad.shares.Shares": 64,  # one for each network of theirs
    "peershelf.protocols.traffic.traffic._Peer": 512,  # what has gone to and from the last so many peers
    "peershelf.protocols.traffic.usage.Tally": 512,
    "peershelf.protocols.traffic.meter.Meter": 1024,
}
"""How much more there may be of something after an attack than before it."""


@dataclass(frozen=True)
class Report:
    """What the daemon is made of at one moment."""

    tasks: int
    slots: int
    descriptors: int
    census: dict[str, int] = field(repr=False)

    def leftovers(self, before: Report) -> dict[str, str]:
        """What there is more of than there was before."""
        pairs = {
            name: (getattr(before, name), getattr(self, name)) for name in ("tasks", "slots", "descriptors")
        }
        pairs |= {name: (before.census.get(name, 0), count) for name, count in self.census.items()}
        return {
            name: f"{old} -> {new}" for name, (old, new) in pairs.items() if new > old + SPARE.get(name, 0)
        }


class Victim:
    """A running daemon that serves `blocks`."""

    def __init__(self, shelf: Any, blocks: list[Block], reports: Path) -> None:
        assert shelf.daemon is not None
        self.shelf = shelf
        self.blocks = blocks
        self.address: str = shelf.addresses[0]
        self.process = psutil.Process(shelf.daemon.pid)
        self._reports = reports

    @property
    def peer(self) -> str:
        return self.address.rpartition("/")[2]

    @property
    def port(self) -> int:
        return int(self.address.split("/")[4])

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(self.process.memory_info().rss)

    @property
    def main_thread(self) -> float:
        """Seconds of CPU that the thread has used in which the protocols run."""
        threads = {one.id: one for one in self.process.threads()}
        main = threads[self.process.pid]
        return float(main.user_time + main.system_time)

    async def thread_share(self, seconds: float) -> float:
        """The part of the time to come that the same thread uses."""
        start, cpu = perf_counter(), self.main_thread
        await trio.sleep(seconds)
        return (self.main_thread - cpu) / (perf_counter() - start)

    @property
    def descriptors(self) -> int:
        """Open files and sockets."""
        return int(self.process.num_fds())

    @property
    def lives(self) -> bool:
        return self.shelf.daemon is not None and self.shelf.daemon.poll() is None

    def report_now(self) -> Report:
        """As report(), for those who cannot wait in trio."""
        fifo = os.open(self._reports, os.O_RDONLY | os.O_NONBLOCK)
        line = b""
        try:
            self.process.send_signal(signal.SIGUSR1)
            while not line.endswith(b"\n"):
                ready, _, _ = select.select([fifo], [], [], ANSWER_TIMEOUT)
                assert ready, "the victim does not answer a signal"
                line += os.read(fifo, 65_536)
        finally:
            os.close(fifo)
        return Report(descriptors=self.descriptors, **json.loads(line))

    async def report(self) -> Report:
        """Have the daemon count its tasks, slots and objects."""
        return await trio.to_thread.run_sync(self.report_now)

    async def api(self, command: str, **options: str) -> bytes:
        """Ask the daemon's API; a command that fails fails the test."""
        return await trio.to_thread.run_sync(self._api, command, options)

    def _api(self, command: str, options: dict[str, str]) -> bytes:
        _, _, host, _, port = self.shelf.api.split("/")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            connection.request("POST", f"/api/v0/{command}?{urlencode(options)}")
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, f"{command}: {body[:500]!r}"
        return body

    async def wants_of(self, peer: str) -> list[str]:
        """The CIDs that the daemon knows a peer to want."""
        return [key["/"] for key in json.loads(await self.api("bitswap/wantlist", peer=peer))["Keys"] or []]

    async def count_wants_of(self, peer: str) -> int:
        """How many wants the daemon keeps for a peer."""
        return len(await self.wants_of(peer))

    async def peers(self) -> set[str]:
        found = json.loads(await self.api("swarm/peers"))["Peers"] or []
        return {one["Peer"] for one in found}

    async def block_count(self) -> int:
        """How many blocks the daemon's store holds."""
        return int(json.loads(await self.api("repo/stat"))["NumObjects"])


@contextmanager
def victim(shelf: Any, content: bytes, settings: dict[str, str]) -> Iterator[Victim]:
    """Run a daemon on `shelf` that has `content`, whose raw leaves are 1 MiB each."""
    directory = shelf.path.parent
    (directory / "content").write_bytes(content)
    for key, value in settings.items():
        shelf("config", "set", key, value)
    shelf("add", "-Q", directory / "content")
    reports = directory / "reports"
    os.mkfifo(reports)
    shelf.environment["VICTIM_REPORTS"] = str(reports)
    shelf.program = [sys.executable, str(Path(__file__).with_name("reporting_daemon.py"))]
    size = 1 << 20
    blocks = [Block.create(content[start : start + size]) for start in range(0, len(content), size)]
    with shelf.running():
        yield Victim(shelf, blocks, reports)
