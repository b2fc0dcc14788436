"""The node: one repo, and the services around it.

    async with Node("photos") as node:
        cid = await node.add("holiday.jpg")
        async for chunk in node.cat(cid):
            ...

Names are imported when they are first asked for, so that a command that only needs the version, or the
way to a running daemon, pays for nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from peershelf.node.api import Node
    from peershelf.node.errors import NodeError

_HOMES = {"Node": "peershelf.node.api", "NodeError": "peershelf.node.errors"}

__all__ = ["Node", "NodeError"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
