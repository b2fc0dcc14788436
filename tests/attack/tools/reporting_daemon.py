"""The program as it is, but SIGUSR1 makes it write what it is made of into the FIFO named by the environment.

It counts from outside of the code under test: living tasks, borrowed slots of trio's limiters, and the live
objects of the network's classes, so that whatever an attack leaves behind shows, wherever it is kept.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
from collections import Counter
from contextlib import suppress

import trio

from peershelf.cli.start import entry

WATCHED = ("peershelf.protocols.", "libp2p.")


def give_back() -> None:
    """Return freed memory to the system, so that what stays resident is in use."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def report(*_: object) -> None:
    give_back()
    census: Counter[str] = Counter()
    slots = 0
    for thing in gc.get_objects():
        kind = type(thing)
        if isinstance(thing, trio.CapacityLimiter):
            slots += int(thing.borrowed_tokens)
        module = getattr(kind, "__module__", None)
        if isinstance(module, str) and module.startswith(WATCHED):
            census[f"{module}.{kind.__qualname__}"] += 1
    tasks = trio.lowlevel.current_statistics().tasks_living
    line = json.dumps({"tasks": tasks, "slots": slots, "census": census}) + "\n"
    fifo = os.open(os.environ["VICTIM_REPORTS"], os.O_WRONLY)
    os.write(fifo, line.encode())
    os.close(fifo)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, report)
    entry()
