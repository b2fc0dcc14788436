"""`add` without a node, where the repo is ready for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from peershelf.cli.allocator import SMALL, keep_freed_memory
from peershelf.cli.failing import Failing
from peershelf.cli.parts import parts
from peershelf.cli.right_here import RightHere
from peershelf.node.adding_here import adder_here, hasher_here
from peershelf.node.blocking import finished
from peershelf.node.observe import later
from peershelf.node.operations.adding import Adding
from peershelf.node.operations.request import Request

if TYPE_CHECKING:
    from peershelf.cli.backend import OnRecord, Record
    from peershelf.cli.sources import Source
    from peershelf.node.adding_here import AdderHere
    from peershelf.node.blocking import Blocking

    MakeAdder = Callable[[Path, Blocking, ExitStack], AdderHere | None]


def adds_here(repo: str, options: Mapping[str, str], on_record: OnRecord, sources: Iterable[Source]) -> bool:
    """Add the sources to a repo, as the operation of a node does. False where that takes a node."""
    return _adds(adder_here, repo, options, on_record, sources)


def hashes_here(
    repo: str, options: Mapping[str, str], on_record: OnRecord, sources: Iterable[Source]
) -> bool:
    """As adds_here() with `only-hash`: nothing is stored, nor locked."""
    return _adds(hasher_here, repo, options, on_record, sources)


def _adds(
    make_adder: MakeAdder,
    repo: str,
    options: Mapping[str, str],
    on_record: OnRecord,
    sources: Iterable[Source],
) -> bool:
    later.configure("warning")
    with Failing(), RightHere() as blocking, ExitStack() as stack:
        uploaded = parts(_tuned_for(sources), blocking)
        request = Request((), options, uploaded)
        adder = make_adder(Path(repo), blocking, stack)
        if adder is None:
            return False

        async def send(record: Record) -> None:
            with blocking.heard():
                on_record(record)

        finished(Adding(adder, request).run(uploaded, send))
    return True


def _tuned_for(sources: Iterable[Source]) -> Iterator[Source]:
    """The same, with the allocator set up for large buffers before the first that takes them."""
    is_tuned = False
    for source in sources:
        if not is_tuned and (source.kind == "directory" or source.size is None or source.size > SMALL):
            keep_freed_memory()
            is_tuned = True
        yield source
