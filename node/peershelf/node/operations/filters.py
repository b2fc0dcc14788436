"""Masks of addresses that are neither taken in from nor dialed: the setting `Swarm.AddrFilters`, and live.

What is added or removed is written to the file first, so that a running node and its next start agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peershelf.node import config
from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Unary
from peershelf.node.operations.request import Record, Request
from peershelf.protocols.filters import InvalidMask, Mask

if TYPE_CHECKING:
    from peershelf.node.facade.ground import Ground

_KEY = "Swarm.AddrFilters"
_ALL = ("all", "*")


async def listing(node: Ground, request: Request) -> Record:
    """The masks in force; of a node that is not online, those that would be."""
    return {"Strings": [str(mask) for mask in await _in_force(node)]}


async def add(node: Ground, request: Request) -> Record:
    """Filter more addresses, and close the connections to them; the answer is the masks as they are kept."""
    wanted = list(dict.fromkeys(_parse(text) for text in request.args))

    def change(listed: list[str]) -> list[str]:
        kept = {Mask(text) for text in listed}
        return listed + [str(mask) for mask in wanted if mask not in kept]

    await _change_file(node, change)
    if node.is_online:
        node.online.host.add_filters(wanted)
    return {"Strings": [str(mask) for mask in wanted]}


async def remove(node: Ground, request: Request) -> Record:
    """Filter no longer what is in these masks, or in any for `all`; the answer is those that were there."""
    there = {*await _in_force(node), *await _in_file(node)}
    everything = request.args[0] in _ALL
    wanted = list(there) if everything else list(dict.fromkeys(_parse(text) for text in request.args))

    def change(listed: list[str]) -> list[str]:
        return [text for text in listed if Mask(text) not in wanted]

    await _change_file(node, change)
    if node.is_online:
        node.online.host.remove_filters(wanted)
    return {"Strings": sorted(str(mask) for mask in wanted if mask in there)}


def _parse(text: str) -> Mask:
    try:
        return Mask(text)
    except InvalidMask as error:
        raise UsageError(str(error)) from None


async def _in_force(node: Ground) -> list[Mask]:
    if node.is_online:
        return list(node.online.host.filters())
    return await _in_file(node)


async def _in_file(node: Ground) -> list[Mask]:
    listed = await node.blocking.run(config.list_in_file, node.config_file, _KEY)
    return [Mask(text) for text in listed]


async def _change_file(node: Ground, change: Callable[[list[str]], list[str]]) -> None:
    await node.blocking.run(config.change_list_in_file, node.config_file, _KEY, change)


FILTER_OPERATIONS = (
    Unary("swarm/filters", listing, max_args=0),
    Unary("swarm/filters/add", add, min_args=1),
    Unary("swarm/filters/rm", remove, min_args=1),
)
