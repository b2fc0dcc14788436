"""routing findprovs, findpeer and provide; provide stat and clear."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from peershelf.blockstore.path import parse_reference
from peershelf.node.api import Node
from peershelf.node.errors import NodeError
from peershelf.node.operations.base import Record, Records, Request, Unary
from peershelf.node.peer_ids import parse_peer_id
from peershelf.protocols.routing.base import PeerInfo

_FINAL_PEER, _PROVIDER = 2, 4
"""Kubo's numbers of these events."""
_USUAL_COUNT = 20


async def find_providers(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each provider found."""
    cid, _ = parse_reference(request.arg(0))
    count = request.integer("num-providers", _USUAL_COUNT, minimum=1)
    async with aclosing(node.find_providers(cid, count=count)) as found:
        async for info in found:
            yield _event(_PROVIDER, info)


async def find_peer(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record with the peer's addresses."""
    peer = parse_peer_id(request.arg(0))
    async with aclosing(node.find_peer(peer)) as found:
        async for info in found:
            yield _event(_FINAL_PEER, info)
            return
    raise NodeError(f"{peer} was not found: nobody that could be asked knows where it is")


async def provide(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record that tells how many have taken note, for each CID."""
    for text in request.args:
        cid, _ = parse_reference(text)
        taken = await node.provide(cid)
        if not taken:
            raise NodeError(f"nobody took note of {cid}: there are no peers in the DHT to tell")
        yield {"Cid": str(cid), "Records": taken}


async def explain(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each step of finding a CID."""
    cid, _ = parse_reference(request.arg(0))
    async with aclosing(node.explain(cid)) as steps:
        async for step in steps:
            yield {"Stage": step.stage, "Subject": step.subject, "Outcome": step.outcome}


async def stat(node: Node, request: Request) -> Record:
    """How far the announcing is. Times are seconds since 1970."""
    told = await node.provide_stat()
    return {
        "Queued": told.queued,
        "Provided": told.provided,
        "Records": told.records,
        "KeysPerSecond": round(told.provided / told.busy, 1) if told.busy else 0.0,
        "LastSweep": told.last_sweep,
        "NextSweep": told.next_sweep,
    }


async def clear(node: Node, request: Request) -> Record:
    """How many keys were in the queue."""
    return {"Cleared": await node.clear_provide_queue()}


def _event(kind: int, info: PeerInfo) -> Record:
    responses = [{"ID": info.peer, "Addrs": list(info.addresses)}]
    return {"Extra": "", "ID": "", "Responses": responses, "Type": kind}


ROUTING_OPERATIONS = (
    Records(
        "routing/findprovs",
        find_providers,
        min_args=1,
        max_args=1,
        options=frozenset({"num-providers", "verbose"}),
    ),
    Records("routing/findpeer", find_peer, min_args=1, max_args=1, options=frozenset({"verbose"})),
    Records("routing/provide", provide, min_args=1, options=frozenset({"verbose", "recursive"})),
    Records("routing/explain", explain, min_args=1, max_args=1),
    Unary("provide/stat", stat, max_args=0),
    Unary("provide/clear", clear, max_args=0),
)
