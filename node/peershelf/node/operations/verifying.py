"""repo verify: is everything that is stored sound, and all that is pinned here?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Records
from peershelf.node.operations.request import Record, Request
from peershelf.node.units import parse_duration
from peershelf.node.verifying import Checked, Finding

if TYPE_CHECKING:
    from peershelf.node.facade.verifying import Verifying

_BAD = ("damaged", "missing", "malformed")


async def verify(node: Verifying, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each block that is not as it should be, others on the way, and one at the end.

    A block that was dropped is as bad as one that is missing, where a pin needs it.
    """
    heal = request.flag("heal")
    if (peer := request.text("peer")) is not None:
        await node.connect(peer)
    done = Checked()
    bad: set[object] = set()
    verified = node.verify(heal=heal, drop=request.flag("drop"), timeout=_healing_time(request))
    async with aclosing(verified):
        async for one in verified:
            if isinstance(one, Checked):
                done = one
                yield {"Msg": "", "Progress": one.blocks, "Bytes": one.size}
                continue
            if one.state in _BAD or (one.state == "dropped" and one.pin is not None):
                bad.add(one.cid)
            else:
                bad.discard(one.cid)
            yield _told(one)
    yield {
        "Msg": "verify complete, all blocks validated."
        if not bad
        else "verify complete, some blocks are bad.",
        "Progress": done.blocks,
        "Bytes": done.size,
        "Bad": len(bad),
    }


def _healing_time(request: Request) -> float:
    """Seconds for healing: Kubo's option, or the call's timeout."""
    text = request.text("heal-timeout")
    if text is None:
        return request.timeout
    try:
        return min(parse_duration(text), request.timeout)
    except ValueError as error:
        raise UsageError(f"option heal-timeout: {error}") from None


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
        options=frozenset({"heal", "drop", "peer", "heal-timeout"}),
        enforces_timeout=True,
    ),
)
