"""repo verify: is everything that is stored sound, and all that is pinned here?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from peershelf.node.api import Node
from peershelf.node.operations.base import Record, Records, Request
from peershelf.node.verifying import Checked, Finding

_BAD = ("damaged", "missing", "malformed")


async def verify(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each block that is not as it should be, others on the way, and one at the end."""
    heal = request.flag("heal")
    if (peer := request.text("peer")) is not None:
        await node.connect(peer)
    done = Checked()
    bad: set[object] = set()
    verified = node.verify(heal=heal, drop=request.flag("drop"), timeout=request.timeout)
    async with aclosing(verified):
        async for one in verified:
            if isinstance(one, Checked):
                done = one
                yield {"Msg": "", "Progress": one.blocks, "Bytes": one.size}
                continue
            bad = bad | {one.cid} if one.state in _BAD else bad - {one.cid}
            yield _told(one)
    yield {
        "Msg": "verify complete, all blocks validated."
        if not bad
        else "verify complete, some blocks are bad.",
        "Progress": done.blocks,
        "Bytes": done.size,
        "Bad": len(bad),
    }


def _told(finding: Finding) -> Record:
    record: dict[str, object] = {
        "Msg": f"block {finding.cid} {'is' if finding.state in _BAD else 'was'} {finding.state}",
        "Progress": 0,
        "Cid": str(finding.cid),
        "State": finding.state,
    }
    if finding.pin is not None:
        record["Pin"] = str(finding.pin)
    return record


VERIFYING_OPERATIONS = (
    Records(
        "repo/verify",
        verify,
        max_args=0,
        options=frozenset({"heal", "drop", "peer"}),
        enforces_timeout=True,
    ),
)
