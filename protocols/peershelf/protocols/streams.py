"""What every protocol does with a stream at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from peershelf.protocols.transport import Stream

_PATIENCE = 1.0
"""Seconds for a stream to end."""


@asynccontextmanager
async def ending(stream: Stream) -> AsyncIterator[Stream]:
    """Close `stream` in the end, or reset it unless all went well."""
    ended_well = False
    try:
        yield stream
        ended_well = True
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + _PATIENCE):
            await (stream.aclose() if ended_well else stream.reset())
