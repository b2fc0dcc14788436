"""routing findprovs, findpeer, provide, get and put; provide stat and clear."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing

from peershelf.blockstore.path import parse_reference
from peershelf.node.api import Node
from peershelf.node.errors import NodeError, UsageError
from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.blocks import bounded
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_ids import parse_peer_id, parse_value_key
from peershelf.protocols.routing.base import PeerInfo

_FINAL_PEER, _PROVIDER, _VALUE = 2, 4, 5
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


async def get(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record with the best value of a key, in base64."""
    data = await node.get_value(request.arg(0))
    yield {"Extra": base64.b64encode(data).decode(), "ID": "", "Responses": None, "Type": _VALUE}


async def put(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record with the peer ID of the name whose value was left, and how many have taken it."""
    key = request.arg(0)
    parse_value_key(key)
    async for part in request.parts:
        taken = await node.put_value(key, await bounded(part.chunks))
        peer = parse_peer_id(key.rpartition("/")[2])
        yield {"Extra": "", "ID": peer, "Responses": None, "Type": _VALUE, "Records": taken}
        return
    raise UsageError("routing/put needs a file with the value")


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
    Records("routing/get", get, min_args=1, max_args=1),
    Records("routing/put", put, min_args=1, max_args=1, takes_parts=True, fixed={"allow-offline": "false"}),
    Records("routing/explain", explain, min_args=1, max_args=1),
    Unary("provide/stat", stat, max_args=0),
    Unary("provide/clear", clear, max_args=0),
)
