"""The operations of denylists, run without a node. They change nothing, so Ctrl-C may end them anywhere."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peershelf.cli.right_here import RightHere
from peershelf.node.blocking import finished
from peershelf.node.denylists_here import DenylistsHere
from peershelf.node.observe import later
from peershelf.node.operations.base import Unary, validate
from peershelf.node.operations.denylists import DENYLIST_OPERATIONS
from peershelf.node.operations.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peershelf.cli.backend import OnRecord


def ask_denylists(
    repo: str, name: str, args: Sequence[str], options: Mapping[str, str], on_record: OnRecord
) -> None:
    """Run the operation on the lists of the repo at `repo`. Raises what the operation does."""
    later.configure("warning")
    operation = next(one for one in DENYLIST_OPERATIONS if one.name == name)
    request = Request(tuple(args), options)
    validate(operation, request)
    node = DenylistsHere(Path(repo), RightHere())
    if isinstance(operation, Unary):
        on_record(finished(operation.handler(node, request)))
    else:
        finished(_pass_on(operation.handler(node, request), on_record))


async def _pass_on(records: Any, on_record: OnRecord) -> None:
    async with aclosing(records):
        async for record in records:
            on_record(record)
