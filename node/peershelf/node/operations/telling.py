"""Telling a client how far a long operation is, if it wants to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.node.facade.ground import Ground

T = TypeVar("T")


@asynccontextmanager
async def telling(
    node: Ground, request: Request, send: Callable[[Record], Awaitable[None]], record: Callable[[T], Record]
) -> AsyncIterator[Callable[[T], None] | None]:
    """With the option `progress`, what takes the state of things and sends the latest; else None."""
    if not request.flag("progress"):
        yield None
        return

    async def send_record(state: T) -> None:
        await send(record(state))

    async with node.telling(send_record) as tell:
        yield tell
