"""Noticing that lists have changed, by looking at their files once a second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from peershelf.node.denylists.denylists import Denylists

_PAUSE = 1.0


async def watch(denylists: Denylists, changed: Callable[[], Awaitable[None]]) -> None:
    """Reload what changes, until cancelled; `changed` is awaited after that."""
    while True:
        await trio.sleep(_PAUSE)
        if await trio.to_thread.run_sync(denylists.reload):
            await changed()
