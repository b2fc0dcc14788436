"""Every operation by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from peershelf.node.api import Node
from peershelf.node.operations.base import Operation
from peershelf.node.operations.bitswap import BITSWAP_OPERATIONS
from peershelf.node.operations.blocks import BLOCK_OPERATIONS
from peershelf.node.operations.bootstrap import BOOTSTRAP_OPERATIONS
from peershelf.node.operations.cars import CAR_OPERATIONS
from peershelf.node.operations.collecting import COLLECTING_OPERATIONS
from peershelf.node.operations.dag_data import DAG_DATA_OPERATIONS
from peershelf.node.operations.dag_reading import DAG_READING_OPERATIONS
from peershelf.node.operations.denylists import DENYLIST_OPERATIONS
from peershelf.node.operations.files import FILE_OPERATIONS
from peershelf.node.operations.filters import FILTER_OPERATIONS
from peershelf.node.operations.peering import PEERING_OPERATIONS
from peershelf.node.operations.pins import PIN_OPERATIONS
from peershelf.node.operations.reading import READING_OPERATIONS
from peershelf.node.operations.repo import REPO_OPERATIONS
from peershelf.node.operations.resources import RESOURCE_OPERATIONS
from peershelf.node.operations.routing import ROUTING_OPERATIONS
from peershelf.node.operations.stats import STATS_OPERATIONS
from peershelf.node.operations.swarm import SWARM_OPERATIONS
from peershelf.node.operations.verifying import VERIFYING_OPERATIONS

_ALL: tuple[Operation[Node], ...] = (
    *FILE_OPERATIONS,
    *READING_OPERATIONS,
    *DAG_READING_OPERATIONS,
    *DAG_DATA_OPERATIONS,
    *CAR_OPERATIONS,
    *BLOCK_OPERATIONS,
    *REPO_OPERATIONS,
    *PIN_OPERATIONS,
    *COLLECTING_OPERATIONS,
    *VERIFYING_OPERATIONS,
    *SWARM_OPERATIONS,
    *ROUTING_OPERATIONS,
    *BOOTSTRAP_OPERATIONS,
    *PEERING_OPERATIONS,
    *FILTER_OPERATIONS,
    *RESOURCE_OPERATIONS,
    *BITSWAP_OPERATIONS,
    *STATS_OPERATIONS,
    *DENYLIST_OPERATIONS,
)

OPERATIONS: Mapping[str, Operation[Node]] = MappingProxyType(
    {operation.name: operation for operation in _ALL}
)
