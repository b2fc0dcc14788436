"""Peers that stay connected, until the daemon ends; the setting `Peering.Peers` is for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from peershelf.node.api import Node
from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_ids import parse_peer_id


async def add(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each peer that is kept from now on; they are dialed in the background."""
    for peer in node.keep_connected(*request.args):
        yield _success(peer)


async def remove(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """A record for each peer that is kept no longer, whether or not it was."""
    for peer in [parse_peer_id(text) for text in request.args]:
        node.release(peer)
        yield _success(peer)


def _success(peer: str) -> Record:
    return {"ID": peer, "Status": "success"}


async def listing(node: Node, request: Request) -> Record:
    """Every peer that is kept, with the addresses at which it is dialed."""
    return {"Peers": [_peer(peer, addresses) for peer, addresses in node.kept().items()]}


def _peer(peer: str, addresses: list[str]) -> Record:
    return {"ID": peer, "Addrs": [address.removesuffix(f"/p2p/{peer}") for address in addresses]}


PEERING_OPERATIONS = (
    Records("swarm/peering/add", add, min_args=1),
    Records("swarm/peering/rm", remove, min_args=1),
    Unary("swarm/peering/ls", listing, max_args=0),
)
