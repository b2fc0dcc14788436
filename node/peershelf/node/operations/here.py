"""Which operations may run in a command that has no node: those that want the repo, and no peers or tasks.

Imports nothing, so that a command may ask before it knows whether it needs more.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from peershelf.node.node_here import NodeHere
    from peershelf.node.operations.base import Operation

_NAMES = {
    "blocks.BLOCK_OPERATIONS": (
        "block/get",
        "block/put",
        "block/rm",
        "block/stat",
        "refs/local",
        "repo/ls",
    ),
    "bootstrap.BOOTSTRAP_OPERATIONS": (
        "bootstrap/add",
        "bootstrap/add/default",
        "bootstrap/rm",
        "bootstrap/rm/all",
    ),
    "cars.CAR_OPERATIONS": ("dag/export", "dag/import"),
    "collecting.COLLECTING_OPERATIONS": ("repo/gc",),
    "dag_data.DAG_DATA_OPERATIONS": ("dag/get", "dag/put", "dag/resolve"),
    "dag_reading.DAG_READING_OPERATIONS": ("dag/stat", "refs", "resolve"),
    "filters.FILTER_OPERATIONS": ("swarm/filters", "swarm/filters/add", "swarm/filters/rm"),
    "pins.PIN_OPERATIONS": ("pin/add", "pin/ls", "pin/rm", "pin/update", "pin/verify"),
    "reading.READING_OPERATIONS": ("get", "ls"),
    "repo.REPO_OPERATIONS": ("config", "repo/stat"),
    "verifying.VERIFYING_OPERATIONS": ("repo/verify",),
}
"""The operations, below the table in which each is."""
_HOMES = {name: home for home, names in _NAMES.items() for name in names}
_GROUPS = {
    "cars": ("archives", "Archives"),
    "collecting": ("collecting", "GarbageCollection"),
    "dag_data": ("dag_data", "DagData"),
    "verifying": ("verifying", "Verifying"),
}
"""Groups of the facade that only the operations of some modules need."""

_ONCE = {
    "block/put",
    "block/rm",
    "bootstrap/add",
    "bootstrap/add/default",
    "bootstrap/rm",
    "bootstrap/rm/all",
    "config",
    "dag/import",
    "dag/put",
    "repo/gc",
    "repo/verify",
    "swarm/filters/add",
    "swarm/filters/rm",
}
_TAKES_A_NODE = {"timeout", "peer", "compress"}
"""Deadlines and peers; and half a compressed file cannot be gone on with by somebody else."""


def runs_here(name: str, options: Mapping[str, str]) -> bool:
    """Whether a command may try to do it without a node."""
    return name in _HOMES and _TAKES_A_NODE.isdisjoint(options)


def may_begin_anew(name: str) -> bool:
    """Whether a node may do it all once more, where this went wrong.

    Not where the input is gone by then, or the repo changed. Those ask no peers, so no node would get on.
    """
    return name not in _ONCE


def operation_here(name: str) -> tuple[Operation[Any], type[NodeHere]]:
    """The operation itself, and what it is to be given for a node."""
    from importlib import import_module

    module, _, table = _HOMES[name].partition(".")
    operations: tuple[Operation[Any], ...] = getattr(
        import_module(f"peershelf.node.operations.{module}"), table
    )
    return next(operation for operation in operations if operation.name == name), _node_for(module)


def _node_for(module: str) -> type[NodeHere]:
    from importlib import import_module

    from peershelf.node.node_here import NodeHere

    if module not in _GROUPS:
        return NodeHere
    home, name = _GROUPS[module]
    group = getattr(import_module(f"peershelf.node.facade.{home}"), name)
    return type(name, (NodeHere, group), {})
