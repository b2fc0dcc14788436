"""The node itself: who it is, what it holds, how it is set, how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peershelf.node import config, own_files
from peershelf.node.errors import NotConnected
from peershelf.node.operations.base import Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_ids import parse_peer_id, public_key_text
from peershelf.node.repo import VERSION, load_settings

if TYPE_CHECKING:
    from peershelf.node.api import Node
    from peershelf.node.facade.blocks import BlockAccess
    from peershelf.node.facade.ground import Ground
    from peershelf.protocols.transport import PeerId


async def identify(node: Node, request: Request) -> Record:
    """This node's peer ID, key and addresses; for a peer, what it says of itself.

    One that is not connected is connected to first, wherever it is found.
    """
    peer = parse_peer_id(request.arg(0)) if request.args else node.repo.identity.peer_id
    if peer != node.repo.identity.peer_id:
        return await _identify_peer(node, peer, request)
    fingerprint = node.swarm_key_fingerprint()
    return own_files.identity(node.repo, fingerprint, node.addresses(), node.protocols())


async def _identify_peer(node: Node, peer: PeerId, request: Request) -> Record:
    from peershelf.protocols.multiaddrs import (
        texts,  # and a library with it, which no other operation here needs
    )

    host = node.online.host
    if peer not in host.peers() and not request.offline:
        await node.connect(request.arg(0))
    await host.identified(peer)
    connection = next((one for one in host.connections() if one.peer == peer), None)
    if connection is None:
        raise NotConnected(peer)
    told = texts(tuple(host.addresses_of(peer))) or [connection.address]
    return {
        "ID": peer,
        "PublicKey": public_key_text(peer),
        "Addresses": [f"{address}/p2p/{peer}" for address in told],
        "AgentVersion": connection.agent or "",
        "Protocols": sorted(connection.protocols),
    }


async def version(node: Node, request: Request) -> Record:
    """The program's version, in Kubo's keys."""
    return own_files.version()


async def stat(node: BlockAccess, request: Request) -> Record:
    """How much the repo holds, in bytes and blocks."""
    stats = await node.stats()
    limit = node.config.size("Datastore.StorageMax")
    if request.flag("size-only"):
        return {
            "RepoSize": stats.disk_size,
            "StorageMax": limit,
            "NumObjects": 0,
            "RepoPath": "",
            "Version": "",
        }
    return {
        "RepoSize": stats.disk_size,
        "StorageMax": limit,
        "NumObjects": stats.blocks,
        "RepoPath": str(node.path),
        "Version": str(VERSION),
    }


async def configure(node: Ground, request: Request) -> Record:
    """Read one key, or set it in the file; a new value is in force from the node's next start.

    Where the file has such a value, reading tells that, too, as `NextValue`.
    """
    key = request.arg(0)
    if len(request.args) == 1:
        told = own_files.setting(node.config, key)
        later = (await node.blocking.run(load_settings, node.path)).lookup(key)
        return told if later == told["Value"] else {**told, "NextValue": later}
    value = _value(request)
    await node.blocking.run(config.set_in_file, node.config_file, key, value)
    return {"Key": key, "Value": value}


def _value(request: Request) -> object:
    text = request.arg(1)
    if request.flag("bool"):
        return text == "true"
    return config.parse_text(text)


async def show_config(node: Node, request: Request) -> Record:
    """Every setting in force."""
    return node.repo.config.tree()


async def shut_down(node: Node, request: Request) -> Record:
    """Ask the daemon to end; it answers first."""
    node.shutdown_requested.set()
    return {}


REPO_OPERATIONS = (
    Unary("id", identify, max_args=1, fixed={"peerid-base": "b58mh"}, options=frozenset({"format"})),
    Unary("version", version, max_args=0, options=frozenset({"number", "commit", "repo", "all"})),
    Unary("repo/stat", stat, max_args=0, options=frozenset({"size-only", "human"})),
    Unary("config", configure, min_args=1, max_args=2, options=frozenset({"json", "bool"})),
    Unary("config/show", show_config, max_args=0),
    Unary("shutdown", shut_down, max_args=0),
)
