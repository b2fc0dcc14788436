"""pin add, rm, ls, update and verify."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from peershelf.blockstore.cid import Cid
from peershelf.node.errors import NotPinned, UsageError
from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.operations.telling import telling
from peershelf.node.operations.texts import utc

if TYPE_CHECKING:
    from peershelf.blockstore.pins import Pin
    from peershelf.node.facade.pinning import PinKind, Pinning
    from peershelf.node.fetching_dags import Gathered
    from peershelf.node.iterators import Closeable
    from peershelf.node.pinned import Verified

_KINDS: dict[str, tuple[PinKind, ...]] = {
    "all": ("direct", "recursive", "indirect"),
    "pinned": ("direct", "recursive"),
    "direct": ("direct",),
    "recursive": ("recursive",),
    "indirect": ("indirect",),
}
"""Kubo's types, and `pinned`: all that was pinned, without what is below it."""

_TOLD_EVERY = 32 << 20
"""Bytes read from one word about a verification's progress to the next."""

Send = Callable[[Record], Awaitable[None]]


def add(node: Pinning, request: Request) -> Closeable[Record]:
    """The CIDs, once all of them are pinned; with `progress`, before that how many blocks are here."""
    recursive, name = request.flag("recursive", True), request.text("name") or None
    announce = not request.flag("no-provide")

    async def produce(send: Send) -> None:
        deadline = node.now() + request.timeout
        if (peer := request.text("peer")) is not None:
            await node.connect(peer)
        pinned: list[str] = []
        async with telling(node, request, send, _gathered) as tell:
            for reference in request.args:
                cid = await node.pin(
                    reference,
                    recursive=recursive,
                    name=name,
                    announce=announce,
                    progress=tell,
                    offline=request.offline,
                    timeout=max(deadline - node.now(), 0),
                )
                pinned.append(str(cid))
        await send({"Pins": pinned})

    return node.run_stream(produce)


def update(node: Pinning, request: Request) -> Closeable[Record]:
    """Both CIDs, once the new one is pinned; with `progress`, before that how many blocks are here."""

    async def produce(send: Send) -> None:
        async with telling(node, request, send, _gathered) as tell:
            both = await node.pin_update(
                request.arg(0),
                request.arg(1),
                unpin=request.flag("unpin", True),
                progress=tell,
                offline=request.offline,
                timeout=request.timeout,
            )
        await send({"Pins": [str(cid) for cid in both]})

    return node.run_stream(produce)


def _gathered(gathered: Gathered) -> Record:
    return {"Progress": gathered.blocks, "Bytes": gathered.size}


async def remove(node: Pinning, request: Request) -> Record:
    """The CIDs that were unpinned: all of them, or an error and none."""
    cids = await node.unpin(*request.args, recursive=request.flag("recursive", True))
    return {"Pins": [str(cid) for cid in cids]}


async def list_pins(node: Pinning, request: Request) -> AsyncGenerator[Record, None]:
    """With `stream` a record for each pin, else all of them in one."""
    records = _pins_of(node, request) if request.args else _pins(node, request)
    async with aclosing(records):
        if request.flag("stream"):
            async for record in records:
                yield record
        else:
            yield {"Keys": {record["Cid"]: _without_cid(record) async for record in records}}


def _without_cid(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "Cid"}


def _kinds(request: Request) -> tuple[PinKind, ...]:
    kind = request.text("type", "all")
    if kind not in _KINDS:
        raise UsageError(f"option type takes one of {', '.join(_KINDS)}")
    return _KINDS[kind]


async def _pins(node: Pinning, request: Request) -> AsyncGenerator[Record, None]:
    part = request.text("name", "")
    pinned = node.pinned(*_kinds(request))
    async with aclosing(pinned):
        async for pin, how in pinned:
            if part in (pin.name or ""):
                yield _record(pin.cid, pin, how)


async def _pins_of(node: Pinning, request: Request) -> AsyncGenerator[Record, None]:
    wanted = _kinds(request)
    cids = [await node.pinned_root(reference) for reference in request.args]
    found = await node.how_pinned(*cids)
    for cid in cids:
        if cid not in found or found[cid][1] not in wanted:
            raise NotPinned(f"{cid} is not pinned")
    for cid in cids:
        yield _record(cid, *found[cid])


def _record(cid: Cid, pin: Pin, how: PinKind) -> Record:
    through = f" through {pin.cid}" if how == "indirect" and pin.cid != cid else ""
    record: dict[str, object] = {"Cid": str(cid), "Type": how + through, "Name": ""}
    if not through:
        record["Name"] = pin.name or ""
        if pin.added is not None:
            record["Added"] = utc(pin.added)
    return record


def verify(node: Pinning, request: Request) -> Closeable[Record]:
    """A record for each pin that is not whole, with `verbose` for each; with `progress`, bytes read."""
    verbose, progress = request.flag("verbose"), request.flag("progress")

    async def produce(send: Send) -> None:
        read = 0

        def on_block(size: int) -> None:
            nonlocal read
            before, read = read, read + size
            if progress and before // _TOLD_EVERY != read // _TOLD_EVERY:
                node.blocking.call(send, {"Progress": read})

        async with aclosing(node.verify_pins(on_block)) as verified:
            async for one in verified:
                if verbose or one.bad:
                    await send(_verified(one))

    return node.run_stream(produce)


def _verified(one: Verified) -> Record:
    record: dict[str, object] = {"Cid": str(one.pin.cid), "Ok": not one.bad}
    if one.bad:
        record["BadNodes"] = [{"Cid": str(bad.cid), "Err": bad.reason} for bad in one.bad]
    return record


PIN_OPERATIONS = (
    Records(
        "pin/add",
        add,
        min_args=1,
        options=frozenset({"recursive", "name", "no-provide", "progress", "peer"}),
        enforces_timeout=True,
    ),
    Unary("pin/rm", remove, min_args=1, options=frozenset({"recursive"})),
    Records("pin/ls", list_pins, options=frozenset({"type", "quiet", "names", "name", "stream"})),
    Records(
        "pin/update",
        update,
        min_args=2,
        max_args=2,
        options=frozenset({"unpin", "progress"}),
        enforces_timeout=True,
    ),
    Records("pin/verify", verify, max_args=0, options=frozenset({"verbose", "quiet", "progress"})),
)
