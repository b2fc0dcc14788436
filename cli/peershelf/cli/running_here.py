"""Operations run without a node, as far as that goes; then a node goes on behind what was given out.

Nearly all of them are such that a node that begins anew comes to the same place: it gives out the same once
more, of which as much is left out as was given out before. Of the others, what goes wrong is told right here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from peershelf.blockstore.errors import BlockstoreError
from peershelf.cli.allocator import SMALL, keep_freed_memory
from peershelf.cli.opened_here import opened_here
from peershelf.cli.parts import parts
from peershelf.cli.right_here import RightHere
from peershelf.node.blocking import finished
from peershelf.node.errors import NodeError
from peershelf.node.opening_here import has_key
from peershelf.node.operations.base import Records, Stream, Unary, validate
from peershelf.node.operations.here import may_begin_anew, operation_here
from peershelf.node.operations.request import Request
from peershelf.node.stream_here import StreamHere

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import Backend, OnLength, OnRecord, Record, Write
    from peershelf.cli.sources import Source
    from peershelf.node.node_here import NodeHere
    from peershelf.node.opening_here import OpenedHere

T = TypeVar("T")


class RunningHere:
    """One operation on the repo at `repo`; `common` options go with every call, and `options` with this.

    `sources` are uploaded.
    """

    def __init__(
        self,
        repo: str,
        make_node: Callable[[PackStore | None], Backend],
        name: str,
        args: Sequence[str],
        common: Mapping[str, str],
        options: Mapping[str, str],
        sources: Iterable[Source] = (),
    ) -> None:
        self._repo = Path(repo)
        self._make_node = make_node
        self._call = name, args, options
        self._request = Request(tuple(args), {**common, **options})
        self._sources = sources
        self._operation, self._kind = operation_here(name)
        self._may_begin_anew = may_begin_anew(name)

    def unary(self) -> Record:
        name, args, options = self._call
        assert isinstance(self._operation, Unary)
        handler = self._operation.handler
        answers: list[Record] = []

        async def use(node: NodeHere) -> None:
            answers.append(await handler(node, self._request))

        with opened_here(str(self._repo)) as opened:
            if not self._does(opened, lambda node, blocking: finished(use(node))):
                return self._node(opened).unary(name, args, options)
        return answers[0]

    def records(self, on_record: OnRecord) -> None:
        name, args, options = self._call
        assert isinstance(self._operation, Records)
        handler = self._operation.handler
        shown = 0

        def use(node: NodeHere, blocking: RightHere) -> None:
            def show(record: Record) -> None:
                nonlocal shown
                shown += _counts(record)
                with blocking.heard():
                    on_record(record)

            request = replace(self._request, parts=parts(self._sources, blocking))
            _give(handler(node, request), show)

        with opened_here(str(self._repo)) as opened:
            if not self._does(opened, use):
                self._node(opened).records(name, _after(shown, on_record), args, options, self._sources)

    def stream(self, write: Write, on_length: OnLength) -> None:
        name, args, options = self._call
        assert isinstance(self._operation, Stream)
        handler = self._operation.handler
        written = 0

        async def use(node: NodeHere, blocking: RightHere) -> None:
            def hand_out(data: bytes | memoryview) -> None:
                nonlocal written
                written += len(data)
                with blocking.heard():
                    write(data)

            answer = await handler(node, self._request)
            on_length(answer.length)
            if answer.length is None or answer.length > SMALL:
                keep_freed_memory()
            await _iterate(answer.chunks, hand_out)

        with opened_here(str(self._repo)) as opened:
            if not self._does(opened, lambda node, blocking: finished(use(node, blocking))):
                rest = _behind(written, write)
                self._node(opened).stream(name, rest, args, options, on_length)

    def _does(self, opened: OpenedHere | None, use: Callable[[NodeHere, RightHere], None]) -> bool:
        """Whether all was done. Else a node is to do it, or to say what is wrong.

        Raises what went wrong where a node must not begin anew.
        """
        if opened is None or not has_key(self._repo):
            return False
        try:
            validate(self._operation, self._request)
            with RightHere() as blocking, ExitStack() as stack:
                alone = not self._may_begin_anew
                use(self._kind(self._repo, opened, blocking, stack, alone=alone), blocking)
        except (BlockstoreError, NodeError):
            if not self._may_begin_anew:
                raise
            return False
        return True

    def _node(self, opened: OpenedHere | None) -> Backend:
        return self._make_node(None if opened is None else opened.store)


def _give(items: Any, take: Callable[[T], object]) -> None:
    if isinstance(items, StreamHere):
        items.send_all(take)
    else:
        finished(_iterate(items, take))


async def _iterate(items: Any, take: Callable[[T], object]) -> None:
    async with aclosing(items):
        async for item in items:
            take(item)


def _counts(record: Record) -> bool:
    """Words about progress come when they will."""
    return "Progress" not in record


def _after(count: int, on_record: OnRecord) -> OnRecord:
    """What leaves out the first so many that count."""

    def receive(record: Record) -> None:
        nonlocal count
        if count and _counts(record):
            count -= 1
        else:
            on_record(record)

    return receive if count else on_record


def _behind(size: int, write: Write) -> Write:
    """What leaves out the first so many bytes."""

    def receive(data: bytes | memoryview) -> None:
        nonlocal size
        skipped = min(size, len(data))
        size -= skipped
        if skipped < len(data):
            write(memoryview(data)[skipped:] if skipped else data)

    return receive if size else write
