"""Keeps memory for the next block instead of giving it back to the kernel after each.

A transfer frees and takes buffers of 1 MiB all the time. By default glibc returns each to the kernel, and
every page of the next one is a fault and a page to be zeroed: a sixth of the CPU that fetching takes.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT = 64 << 20
"""Bytes that stay with the process when they are free."""
_FROM_HEAP = 32 << 20
"""Buffers up to this size come from what is kept; it is the most that glibc takes."""


def keep_freed_memory() -> bool:
    """Ask the C library to keep up to KEPT bytes. Returns False where it is not glibc: nothing changes."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018 -- only glibc has it, and other libraries' mallopt differs
    except (OSError, AttributeError):
        return False
    return bool(libc.mallopt(_M_MMAP_THRESHOLD, _FROM_HEAP)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, KEPT))
