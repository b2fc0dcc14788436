"""What denylists make a node raise."""

from __future__ import annotations

from peershelf.blockstore.errors import BlockstoreError
from peershelf.node.errors import NodeError


class ContentBlocked(NodeError, BlockstoreError):
    """A denylist forbids what was asked for. The text names the file and the line."""


class DenylistRejected(NodeError):
    """A whole file that cannot be used; the text says why."""


class MalformedRule(NodeError, ValueError):
    """A line that is no rule; the text says why."""
