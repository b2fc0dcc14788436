"""Asking the kernel to begin writing to disk, so that a later sync has little left to wait for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

_SYNC_FILE_RANGE_WRITE = 2
"""Begin to write the range's dirty pages; do not wait for them. It makes nothing durable."""


def start(descriptor: int, offset: int, length: int) -> None:
    """Begin to write a range of a file. Does nothing where the platform has no such call.

    What fails on the way is told by the next fdatasync, as ever.
    """
    function = _sync_file_range()
    if function is not None:
        function(descriptor, offset, length, _SYNC_FILE_RANGE_WRITE)


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    # Here, because only large puts need it and a command that does not is faster.
    import ctypes

    try:
        function = ctypes.CDLL(None).sync_file_range
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function
