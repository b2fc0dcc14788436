"""Peers: connecting to them, listing them, measuring the way to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

import trio

from peershelf.node.api import Node
from peershelf.node.describe import describe
from peershelf.node.errors import NodeError, NotConnected
from peershelf.node.operations.base import Records, Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.operations.texts import utc
from peershelf.node.peer_ids import is_peer_id, parse_peer_id
from peershelf.protocols.errors import NetworkError, PeerNotConnected
from peershelf.protocols.reachability.case import Standing
from peershelf.protocols.transport import PeerId

if TYPE_CHECKING:
    from peershelf.node.reachability import Checked
    from peershelf.protocols.libp2p import ConnectionInfo

_DIRECTIONS = {"inbound": 1, "outbound": 2}


async def connect(node: Node, request: Request) -> Record:
    """Connect to every peer given, at one of its addresses; the first that fails ends it."""
    by_peer: dict[str, list[str]] = {}
    for address in request.args:
        by_peer.setdefault(address.rpartition("/p2p/")[2], []).append(address)
    lines = [f"connect {await node.connect(*addresses)} success" for addresses in by_peer.values()]
    return {"Strings": lines}


async def disconnect(node: Node, request: Request) -> Record:
    """Leave every peer given, by address or by ID."""
    return {"Strings": [await _disconnect(node, parse_peer_id(text)) for text in request.args]}


async def _disconnect(node: Node, peer: PeerId) -> str:
    try:
        await node.disconnect(peer)
    except PeerNotConnected:
        return f"disconnect {peer} failure: not connected"
    return f"disconnect {peer} success"


async def peers(node: Node, request: Request) -> Record:
    """A record for each connection, sorted by address."""
    verbose = request.flag("verbose")
    connections = sorted(node.online.host.connections(), key=lambda connection: connection.address)
    return {"Peers": [_peer_record(connection, request, verbose) for connection in connections]}


def _peer_record(connection: ConnectionInfo, request: Request, verbose: bool) -> Record:
    record: dict[str, object] = {"Addr": connection.address, "Peer": connection.peer}
    if verbose or request.flag("latency"):
        record["Latency"] = "n/a" if connection.latency is None else _milliseconds(connection.latency)
    if verbose or request.flag("direction"):
        record["Direction"] = _DIRECTIONS[connection.direction]
    if verbose or request.flag("streams"):
        record["Streams"] = [{"Protocol": protocol} for protocol in connection.streams]
    if verbose:
        record["Muxer"] = connection.muxer
        record["Security"] = connection.security
    if verbose or request.flag("identify"):
        record["Identify"] = {
            "ID": connection.peer,
            "AgentVersion": connection.agent or "",
            "Protocols": list(connection.protocols),
        }
    return record


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}ms"


async def known_addresses(node: Node, request: Request) -> Record:
    """The addresses of connected peers."""
    found: dict[str, list[str]] = {}
    for connection in node.online.host.connections():
        found.setdefault(connection.peer, []).append(connection.address)
    return {"Addrs": found}


async def local_addresses(node: Node, request: Request) -> Record:
    """Where this node can be reached, with its peer ID if `id` is asked for."""
    suffix = f"/p2p/{node.repo.identity.peer_id}"
    addresses = [address.removesuffix(suffix) for address in _listening(node)]
    return {"Strings": sorted(address + suffix if request.flag("id") else address for address in addresses)}


async def listen_addresses(node: Node, request: Request) -> Record:
    """The same without the peer ID."""
    return await local_addresses(node, Request())


async def reachability(node: Node, request: Request) -> Record:
    """Whether the world reaches this node, in Kubo's keys; `checks` says who said so."""
    found = node.reachability()
    checks = found.checks()
    of = {standing: [one.address for one in checks if one.standing is standing] for standing in Standing}
    return {
        "reachability": found.standing.value,
        "reachable": of[Standing.PUBLIC],
        "unreachable": of[Standing.PRIVATE],
        "unknown": of[Standing.UNKNOWN],
        "checks": [_check_record(check) for check in checks],
    }


def _check_record(check: Checked) -> Record:
    return {
        "address": check.address,
        "reachability": check.standing.value,
        "next": utc(check.due),
        "asked": [
            {"peer": one.peer, "outcome": one.outcome.value, "when": utc(one.when)} for one in check.asked
        ],
    }


def _listening(node: Node) -> Sequence[str]:
    return node.online.host.addresses()


async def ping(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """Measure round trips, one a second; times are nanoseconds. Raises NodeError if none came back.

    A peer that is not connected is connected to first, wherever it is found.
    """
    count = request.integer("count", 10, minimum=1) or 1
    target = request.arg(0)
    peer = parse_peer_id(target)
    if peer == node.repo.identity.peer_id:
        raise NodeError("that is this node's own peer ID: there is nobody to ping")
    if peer not in node.online.host.peers():
        if is_peer_id(target):
            yield _line(f"Looking up peer {peer}.")
        await node.connect(target)
    yield _line(f"PING {peer}.")
    times = []
    for number in range(count):
        if number:
            await trio.sleep(1)
        try:
            times.append(await node.online.host.ping(peer))
        except PeerNotConnected:
            raise NotConnected(peer) from None
        except NetworkError as error:
            yield {"Success": False, "Time": 0, "Text": f"Ping error: {describe(error)}"}
        else:
            yield {"Success": True, "Time": round(times[-1] * 1e9), "Text": ""}
    if not times:
        raise NodeError(f"ping failed: nothing came back from {peer}")
    yield _line(f"Average latency: {_milliseconds(sum(times) / len(times))}")


def _line(text: str) -> Record:
    return {"Success": True, "Time": 0, "Text": text}


SWARM_OPERATIONS = (
    Unary("swarm/connect", connect, min_args=1),
    Unary("swarm/disconnect", disconnect, min_args=1),
    Unary(
        "swarm/peers",
        peers,
        max_args=0,
        options=frozenset({"verbose", "streams", "latency", "direction", "identify"}),
    ),
    Unary("swarm/addrs", known_addresses, max_args=0),
    Unary("swarm/addrs/local", local_addresses, max_args=0, options=frozenset({"id"})),
    Unary("swarm/addrs/listen", listen_addresses, max_args=0),
    Unary("swarm/addrs/autonat", reachability, max_args=0),
    Records("ping", ping, min_args=1, max_args=1, options=frozenset({"count"})),
)
