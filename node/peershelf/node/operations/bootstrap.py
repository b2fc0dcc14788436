"""The list of peers that a daemon meets first: the setting `Bootstrap` in the file, edited entry by entry.

What is changed is in force from the node's next start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from peershelf.node import config, own_files
from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_addresses import parse_peer_address
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS

if TYPE_CHECKING:
    from peershelf.node.facade.ground import Ground


async def add(node: Ground, request: Request) -> Record:
    """Append addresses, and the public ones for `default`; the answer is those that were not there before."""
    wanted = [str(parse_peer_address(text)) for text in request.args]
    if request.flag("default"):
        wanted += PUBLIC_BOOTSTRAP_PEERS
    if not wanted:
        raise UsageError("no address to add: name one, or --default for those of the public network")
    return await _add(node, wanted)


async def add_default(node: Ground, request: Request) -> Record:
    """Append the addresses through which the public network is met."""
    return await _add(node, PUBLIC_BOOTSTRAP_PEERS)


async def _add(node: Ground, wanted: Iterable[str]) -> Record:
    added: list[str] = []

    def change(listed: list[str]) -> list[str]:
        added.extend(address for address in dict.fromkeys(wanted) if address not in listed)
        return listed + added

    return await _change(node, change, added)


async def remove(node: Ground, request: Request) -> Record:
    """Take addresses out; the answer is those that were there."""
    if request.flag("all"):
        return await remove_all(node, request)
    if not request.args:
        raise UsageError("no address to remove: name one, or --all")
    removed: list[str] = []

    def change(listed: list[str]) -> list[str]:
        # What is listed can go, whatever it is: `config set` takes any text.
        unwanted = {text if text in listed else str(parse_peer_address(text)) for text in request.args}
        removed.extend(address for address in listed if address in unwanted)
        return [address for address in listed if address not in unwanted]

    return await _change(node, change, removed)


async def remove_all(node: Ground, request: Request) -> Record:
    """Leave no address."""
    removed: list[str] = []

    def change(listed: list[str]) -> list[str]:
        removed.extend(listed)
        return []

    return await _change(node, change, removed)


async def _change(node: Ground, change: Callable[[list[str]], list[str]], changed: list[str]) -> Record:
    await node.blocking.run(config.change_list_in_file, node.config_file, own_files.BOOTSTRAP, change)
    return {"Peers": changed}


async def listing(node: Ground, request: Request) -> Record:
    """The addresses in the order of the file."""
    return await node.blocking.run(own_files.bootstrap_peers, node.config_file)


BOOTSTRAP_OPERATIONS = (
    Unary("bootstrap", listing, max_args=0),
    Unary("bootstrap/list", listing, max_args=0),
    Unary("bootstrap/add", add, options=frozenset({"default"})),
    Unary("bootstrap/add/default", add_default, max_args=0),
    Unary("bootstrap/rm", remove, options=frozenset({"all"})),
    Unary("bootstrap/rm/all", remove_all, max_args=0),
)
