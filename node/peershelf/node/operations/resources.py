"""What is bounded, how much of it may be used, and how much is.

Kubo's clients find `System` and `Transient` as they know them; `Resources` has everything, row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from peershelf.node.api import Node
from peershelf.node.operations.base import Unary
from peershelf.node.operations.request import Record, Request
from peershelf.node.process_usage import process_resources
from peershelf.protocols.resources import Resource

_UNLIMITED = "unlimited"
_KUBOS: Mapping[str, tuple[str, str]] = {
    "Memory": ("process", "memory"),
    "FD": ("process", "file descriptors"),
    "Conns": ("connections", "all"),
    "ConnsInbound": ("connections", "inbound"),
    "ConnsOutbound": ("connections", "outbound"),
    "Streams": ("streams", "all"),
    "StreamsInbound": ("streams", "inbound"),
    "StreamsOutbound": ("streams", "outbound"),
}
"""Kubo's names of what we count too."""
_KUBOS_TRANSIENT = {"ConnsInbound": ("connections", "half-open")}
_KUBOS_LIMITS = (
    "Memory",
    "FD",
    *(f"{kind}{way}" for kind in ("Conns", "Streams") for way in ("", "Inbound", "Outbound")),
)


async def resources(node: Node, request: Request) -> Record:
    """A row for each resource; with `min-used-limit-perc` those that are used to that percentage at least."""
    online, least = node.online, request.integer("min-used-limit-perc", 0)
    found = [*online.host.resources(), *online.exchange.resources(), *process_resources()]
    return {
        "Resources": [_row(one) for one in found if not least or (one.percent or 0) >= least],
        "System": _as_kubo(found, _KUBOS),
        "Transient": _as_kubo(found, _KUBOS_TRANSIENT),
    }


def _row(one: Resource) -> Record:
    row = {
        "Scope": one.scope,
        "Name": one.name,
        "Usage": one.used,
        "Limit": one.limit,
        "Unit": one.unit.value,
    }
    return row | {"Percent": None if one.percent is None else round(one.percent, 1), "Whose": one.whose}


def _as_kubo(found: Iterable[Resource], names: Mapping[str, tuple[str, str]]) -> Record:
    known = {(one.scope, one.name): one for one in found}
    record: dict[str, object] = {}
    for name in _KUBOS_LIMITS:
        one = known.get(names.get(name, ("", "")))
        limit = one.limit if one else None
        # Kubo has limits of 64 bits as text.
        record[name] = _UNLIMITED if limit is None else str(limit) if name == "Memory" else limit
        record[f"{name}Usage"] = one.used if one else 0
    return record


RESOURCE_OPERATIONS = (
    Unary("swarm/resources", resources, max_args=0, options=frozenset({"min-used-limit-perc"})),
)
