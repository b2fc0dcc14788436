"""Which operations may run in a command that has no node: those that want the repo, and no peers or tasks.

Imports nothing, so that a command may ask before it knows whether it needs more.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from peershelf.node.facade.dag_data import DagData
    from peershelf.node.operations.base import Operation

_HOMES = {
    "block/get": ("blocks", "BLOCK_OPERATIONS"),
    "block/stat": ("blocks", "BLOCK_OPERATIONS"),
    "dag/get": ("dag_data", "DAG_DATA_OPERATIONS"),
    "dag/resolve": ("dag_data", "DAG_DATA_OPERATIONS"),
    "dag/stat": ("dag_reading", "DAG_READING_OPERATIONS"),
    "get": ("reading", "READING_OPERATIONS"),
    "ls": ("reading", "READING_OPERATIONS"),
    "pin/add": ("pins", "PIN_OPERATIONS"),
    "pin/ls": ("pins", "PIN_OPERATIONS"),
    "pin/rm": ("pins", "PIN_OPERATIONS"),
    "pin/update": ("pins", "PIN_OPERATIONS"),
    "pin/verify": ("pins", "PIN_OPERATIONS"),
    "refs": ("dag_reading", "DAG_READING_OPERATIONS"),
    "refs/local": ("blocks", "BLOCK_OPERATIONS"),
    "repo/ls": ("blocks", "BLOCK_OPERATIONS"),
    "repo/stat": ("repo", "REPO_OPERATIONS"),
    "resolve": ("dag_reading", "DAG_READING_OPERATIONS"),
}
_TAKES_A_NODE = {"timeout", "peer", "compress"}
"""Deadlines and peers; and half a compressed file cannot be gone on with by somebody else."""


def runs_here(name: str, options: Mapping[str, str]) -> bool:
    """Whether a command may try to do it without a node."""
    return name in _HOMES and _TAKES_A_NODE.isdisjoint(options)


def operation_here(name: str) -> Operation[DagData]:
    """The operation itself."""
    from importlib import import_module

    module, table = _HOMES[name]
    operations = getattr(import_module(f"peershelf.node.operations.{module}"), table)
    found: Operation[DagData] = next(operation for operation in operations if operation.name == name)
    return found
