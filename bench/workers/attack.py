"""One attack on a running daemon, until SIGINT.

usage: attack NAME ADDRESS FILE REPORT

FILE is what the daemon has, in leaves of 1 MiB. Prints "attacking" with the first event, and at the end
writes {"events", "refused", "seconds", "cut", "cpu"} to REPORT.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from pathlib import Path

import trio

from bench.attacks.attack import Attack, Pace, Target, tool
from bench.attacks.registry import ATTACKS
from peershelf.blockstore.block import Block
from peershelf.node.observe import logs

MIB = 1 << 20
_LEAVES = 20
_TOOLS = ("handmade", "secured", "stranger", "broken", "forgeries", "lies")
_PAUSE = 0.05
"""Seconds until an attacker that was cut off comes again."""


class Siege:
    """An attack that begins anew whenever the victim ends it."""

    def __init__(self, attack: Attack, target: Target) -> None:
        self._attack, self._target = attack, target
        self._cut = 0
        self._pace = Pace(attack.rate)

    async def run(self, report: Path) -> None:
        """Attack until SIGINT, and report."""
        with trio.open_signal_receiver(signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._attack_again)
                await self._pace.begun.wait()
                start, cpu = time.perf_counter(), time.process_time()
                print("attacking", flush=True)
                await anext(aiter(signals))
                nursery.cancel_scope.cancel()
        figures = {
            "events": self._pace.events,
            "refused": self._pace.refused,
            "seconds": time.perf_counter() - start,
            "cut": self._cut,
            "cpu": time.process_time() - cpu,
        }
        report.write_text(json.dumps(figures))

    async def _attack_again(self) -> None:
        while True:
            try:
                await self._attack.run(self._target, self._pace)
            except* Exception as errors:  # a group may hold the end of the attack as well
                print("; ".join(map(repr, errors.exceptions)), file=sys.stderr, flush=True)
            self._cut += 1
            await trio.sleep(_PAUSE)


def target(address: str, file: Path) -> Target:
    """Read what the daemon has off its file."""
    with file.open("rb") as source:
        leaves = [Block.create(source.read(MIB)) for _ in range(min(_LEAVES, file.stat().st_size // MIB))]
    return Target(address, tuple(leaf.cid for leaf in leaves), leaves[0])


def main(name: str, address: str, file: str, report: str) -> None:
    """Attack."""
    logs.use_standard_module()  # structlog by itself would print to standard output
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for module in _TOOLS:
        tool(
            module
        )  # now, since what is due while an import takes its time would all be done at once after it
    trio.run(Siege(ATTACKS[name], target(address, Path(file))).run, Path(report))


if __name__ == "__main__":
    main(*sys.argv[1:5])
