"""Has the C library keep memory that was freed, for the large buffers that come and go with every block.

glibc hands a freed MiB back to the kernel and asks for it again at once; the page faults cost a transfer more
than its copies do. It also gives threads areas of their own, so that what one has freed another takes anew.
Only for our own programs: it is a setting of the whole process.
"""

from __future__ import annotations

import os

# From glibc's malloc.h; other C libraries have no mallopt, or ignore what they do not know.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8

_LARGEST_KEPT = 4 << 20
"""Bytes from which a buffer is mapped by itself and given back when freed: more than a block has."""
_KEPT = 64 << 20
"""Bytes that are kept at most at the end of the allocator's area."""
_GROWTH = 4 << 20
"""Bytes that the area grows by."""


SMALL = 4 << 20
"""Bytes of a file that is done before setting this up would pay."""


def keep_freed_memory() -> None:
    """Set this up, unless the user has tuned the allocator by its environment variables."""
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
    mallopt(_M_TOP_PAD, _GROWTH)
    mallopt(_M_ARENA_MAX, 1)
