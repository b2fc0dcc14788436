"""Adding: the parts of an upload become files, links and trees, each top one with a root and pin of its own.

A record tells a CID, and no CID is told before it is durable and protected by a pin. Only the root of a tree
is pinned, so the others' records are held back until it is; meanwhile there is progress to be told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.blockstore.unixfs.profiles import Profile
from peershelf.node.blocking import Blocking
from peershelf.node.errors import UsageError
from peershelf.node.iterators import Closeable
from peershelf.node.operations.growing import Growing, Send
from peershelf.node.operations.held import HeldRecords
from peershelf.node.operations.profile import requested_profile
from peershelf.node.operations.request import Part, Request
from peershelf.node.operations.texts import text_fields
from peershelf.node.trees import Added, OnAdded, Preserve, TreeBuilder

SENT_AT_ONCE = 512
"""Records."""


@dataclass(frozen=True, slots=True)
class _Options:
    profile: Profile
    preserve: Preserve
    pin: bool
    announce: bool
    only_hash: bool
    progress: bool
    wrap: bool
    only_roots: bool


class Adder(Protocol):
    """What adds: a node, or a command that has the repo's store and runs none."""

    @property
    def profile(self) -> Profile: ...

    @property
    def blocking(self) -> Blocking: ...

    def adding_tree(
        self, profile: Profile, *, pin: bool, announce: bool, only_hash: bool, on_added: OnAdded
    ) -> AbstractContextManager[TreeBuilder]: ...


def _options(default: Profile, request: Request) -> _Options:
    preserve = Preserve(
        request.flag("preserve-mode"),
        request.flag("preserve-mtime"),
        Metadata(_mode(request), _mtime(request)),
    )
    profile = requested_profile(default, request)
    if preserve and request.flag("raw-leaves"):
        raise UsageError("raw-leaves cannot be had with modes or times: bare blocks have no room for them")
    return _Options(
        preserve.profile(profile),
        preserve,
        pin=request.flag("pin", True),
        announce=not request.flag("no-provide"),
        only_hash=request.flag("only-hash"),
        progress=request.flag("progress"),
        wrap=request.flag("wrap-with-directory"),
        only_roots=request.flag("quieter") or request.flag("silent"),
    )


def _mode(request: Request) -> int | None:
    """The permissions of `mode`, octal with a 0 before them; nine bits as in Kubo, where 0 is none."""
    text = request.text("mode", "0")
    try:
        mode = int(text, 8 if text.startswith("0") else 10)
    except ValueError:
        raise UsageError("option mode takes permissions, as in 0644") from None
    return mode & 0o777 or None


def _mtime(request: Request) -> Mtime | None:
    seconds = request.integer("mtime", 0, minimum=-(1 << 63))
    nanoseconds = request.integer("mtime-nsecs", 0)
    if nanoseconds and not seconds:
        raise UsageError("option mtime-nsecs needs mtime as well")
    return Mtime(seconds, nanoseconds or None) if seconds else None


class Adding:
    """One add: its parts become one tree with `wrap`, or else one for each name that they begin with."""

    def __init__(self, adder: Adder, request: Request) -> None:
        """Raises UsageError for options that make no sense."""
        self._adder = adder
        self._blocking = adder.blocking
        self._options = _options(adder.profile, request)

    async def run(self, parts: Closeable[Part], send: Send) -> None:
        """Add the parts; each record that can be told is sent. Closes the parts.

        A tree's files and links come in their order, then its directories, the root last.
        """
        async with aclosing(parts):
            each = aiter(parts)
            part = await anext(each, None)
            while part is not None:
                part = await self._add_tree(part, each, send)

    async def _add_tree(self, part: Part, parts: AsyncIterator[Part], send: Send) -> Part | None:
        """Add what begins with `part`; returns the part behind it."""
        options = self._options
        top = None if options.wrap else part.name.partition("/")[0]
        is_tree = part.kind == "directory" or top != part.name
        with HeldRecords() as held:
            following = await self._grow(top, part, parts if is_tree else None, held, send)
            await self._send_all(held, send)
        return following if is_tree else await anext(parts, None)

    async def _grow(
        self,
        top: str | None,
        part: Part | None,
        more: AsyncIterator[Part] | None,
        held: HeldRecords,
        send: Send,
    ) -> Part | None:
        """Add `part` and those of `more` that are in the same tree; returns the first that is not."""
        options = self._options
        with self._adder.adding_tree(
            options.profile,
            pin=options.pin,
            announce=options.announce,
            only_hash=options.only_hash,
            on_added=partial(_hold, held, top, only_roots=options.only_roots),
        ) as tree:
            tell = send if options.progress else None
            growing = Growing(self._blocking, tree, options.preserve, top, tell)
            while part is not None and growing.has_room_for(part):
                await growing.add(part)
                part = None if more is None else await anext(more, None)
            await growing.finish()
        return part

    async def _send_all(self, held: HeldRecords, send: Send) -> None:
        records = iter(held)
        while batch := await self._blocking.run(lambda: list(islice(records, SENT_AT_ONCE))):
            for record in batch:
                await send(record)


def _hold(held: HeldRecords, top: str | None, added: Added, *, only_roots: bool) -> None:
    if added.path and only_roots:
        return
    cid = str(added.imported.cid)
    name = b"/".join(added.path)
    if top is not None:
        above = top.encode("utf-8", "surrogateescape")
        name = above + b"/" + name if name else above or cid.encode()
    record: dict[str, object] = {
        **text_fields("Name", name),
        "Hash": cid,
        "Size": str(added.imported.dag_size),
    }
    mode, mtime = added.metadata.mode, added.metadata.mtime
    if mode is not None:
        record["Mode"] = f"0{mode:o}"
    if mtime is not None:
        record["Mtime"] = mtime.seconds
        if mtime.nanoseconds:
            record["MtimeNsecs"] = mtime.nanoseconds
    held.add(record)
