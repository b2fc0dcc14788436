"""As node_here, for operations on the data inside of blocks, whose codecs others need not import."""

from __future__ import annotations

from peershelf.node.facade.dag_data import DagData
from peershelf.node.node_here import NodeHere


class DagNodeHere(NodeHere, DagData):
    """What a Node is to the operations of `operations.dag_data`."""
