"""The node: one repo, and the services around it.

    async with Node("photos") as node:
        cid = await node.add("holiday.jpg")
        async for chunk in node.cat(cid):
            ...

What a node raises is a NodeError, BlockstoreError or NetworkError, and OSError for its user's own files.

Names are imported when they are first asked for, so that a command that only needs the version, or the
way to a running daemon, pays for nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from peershelf.blockstore.errors import BlockstoreError
    from peershelf.node.api import Node
    from peershelf.node.errors import NodeError
    from peershelf.protocols.errors import NetworkError

_HOMES = {
    "BlockstoreError": "peershelf.blockstore.errors",
    "NetworkError": "peershelf.protocols.errors",
    "Node": "peershelf.node.api",
    "NodeError": "peershelf.node.errors",
}

__all__ = ["BlockstoreError", "NetworkError", "Node", "NodeError"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
