"""What this process takes of its machine. Systems that do not tell leave the row out."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from peershelf.protocols.resources import Resource, Unit

_SCOPE = "process"


def process_resources() -> list[Resource]:
    """Return open file descriptors, against what the system allows, and memory, against what it has."""
    return [*_descriptors(), *_memory()]


def _descriptors() -> Iterator[Resource]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError):
        used = len(list(Path("/dev/fd").iterdir())) - 1  # one is of the listing itself
        yield Resource(_SCOPE, "file descriptors", used, None if soft == resource.RLIM_INFINITY else soft)


def _memory() -> Iterator[Resource]:
    with suppress(OSError, ValueError, IndexError):
        page = os.sysconf("SC_PAGE_SIZE")
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * page
        yield Resource(_SCOPE, "memory", resident, os.sysconf("SC_PHYS_PAGES") * page, Unit.BYTES)
