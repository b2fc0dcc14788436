"""denylist check and ls. Kubo has no commands for its denylists."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.request import Record, Request

if TYPE_CHECKING:
    from peershelf.node.facade.denylists import DenylistAccess


async def check(node: DenylistAccess, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each argument: whether it is blocked, and the line that says so, or that it is not."""
    for text in request.args:
        decision = await node.denylist_check(text)
        if decision is None:
            yield {"Path": text, "Blocked": False, "File": "", "Line": 0, "Hints": ""}
            continue
        verdict = decision.verdict
        yield {
            "Path": text,
            "Blocked": verdict.is_blocked,
            "File": decision.path,
            "Line": verdict.line,
            "Hints": verdict.hints,
        }


async def list_files(node: DenylistAccess, request: Request) -> Record:
    """The files in the order in which they count. Times are seconds since 1970."""
    files = []
    for one in await node.denylist_files():
        listed = one.denylist
        files.append(
            {
                "File": one.path,
                "Name": listed.header.name if listed else "",
                "Author": listed.header.author if listed else "",
                "Description": listed.header.description if listed else "",
                "Rules": listed.rules if listed else 0,
                "Malformed": listed.malformed if listed else 0,
                "Loaded": one.time if listed else None,
                "Error": one.error,
            }
        )
    return {"Files": files}


DENYLIST_OPERATIONS = (
    Records("denylist/check", check, min_args=1),
    Unary("denylist/ls", list_files, max_args=0),
)
