"""Values that routing keeps for others, which prove by themselves that they belong to their key."""

from __future__ import annotations

from peershelf.protocols.routing.records.namespaces import MAX_VALUE as MAX_VALUE
from peershelf.protocols.routing.records.namespaces import check as check
from peershelf.protocols.routing.records.value import Value as Value
