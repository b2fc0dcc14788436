"""What the exchange has done and what it is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from peershelf.blockstore.cid import Cid
from peershelf.node.api import Node
from peershelf.node.operations.base import Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_ids import parse_peer_id


async def stat(node: Node, request: Request) -> Record:
    """Counters since the daemon started, and what is wanted now."""
    stats = node.online.exchange.stat()
    return {
        "Wantlist": _cids(stats.wantlist),
        "Peers": sorted(stats.peers),
        "BlocksReceived": stats.blocks_received,
        "DataReceived": stats.bytes_received,
        "DupBlksReceived": stats.duplicate_blocks,
        "DupDataReceived": stats.duplicate_bytes,
        "UnrequestedBlksReceived": stats.unrequested_blocks,
        "MessagesReceived": stats.messages_received,
        "BlocksSent": stats.blocks_sent,
        "DataSent": stats.bytes_sent,
    }


async def wantlist(node: Node, request: Request) -> Record:
    """What this node wants, or what `peer` wants of it."""
    peer = request.text("peer")
    return {"Keys": _cids(node.online.exchange.wantlist(parse_peer_id(peer) if peer else None))}


def _cids(cids: Iterable[Cid]) -> list[dict[str, str]]:
    """CIDs as Kubo's JSON has them."""
    return [{"/": str(cid)} for cid in cids]


BITSWAP_OPERATIONS = (
    Unary("bitswap/stat", stat, max_args=0, options=frozenset({"verbose", "human"})),
    Unary("bitswap/wantlist", wantlist, max_args=0, options=frozenset({"peer"})),
)
