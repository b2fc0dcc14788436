"""How much of the line is used."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from itertools import count
from typing import TypeVar

import trio

from peershelf.node.api import Node
from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Records
from peershelf.node.operations.request import Record, Request
from peershelf.node.peer_ids import parse_peer_id
from peershelf.node.units import parse_duration
from peershelf.protocols.traffic import Traffic, Usage

_LEAST_INTERVAL = 0.01
_TEXTS, _FLAGS = ("peer", "proto"), ("peers", "protocols")

Name = TypeVar("Name", bound=str)
_Report = Callable[[Traffic], Iterable[Record]]


async def bandwidth(node: Node, request: Request) -> AsyncGenerator[Record, None]:
    """Bytes and rates in all, or of one peer or protocol; every `interval` for ever with `poll`.

    Kubo's clients know no more; `peers` and `protocols` list each of them, those with most bytes first.
    """
    report, interval = _report(request), _interval(request)
    traffic = node.online.host.traffic
    for turn in count():
        if turn:
            await trio.sleep(interval)
        for record in report(traffic):
            yield record
        if not request.flag("poll"):
            return


def _report(request: Request) -> _Report:
    given = [name for name in _TEXTS if name in request.options]
    given += [name for name in _FLAGS if request.flag(name)]
    if len(given) > 1:
        raise UsageError(f"please give only one of {' and '.join(given)}")
    match given:
        case ["peer"]:
            peer = parse_peer_id(request.text("peer", ""))
            return lambda traffic: [_record(traffic.by_peer().get(peer, Usage()))]
        case ["proto"]:
            protocol = request.text("proto", "")
            return lambda traffic: [_record(traffic.by_protocol().get(protocol, Usage()))]
        case ["peers"]:
            return lambda traffic: _table("Peer", traffic.by_peer())
        case ["protocols"]:
            return lambda traffic: _table("Protocol", traffic.by_protocol())
    return lambda traffic: [_record(traffic.total())]


def _interval(request: Request) -> float:
    text = request.text("interval") or "1s"
    try:
        interval = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"option interval: {error}") from None
    if interval < _LEAST_INTERVAL:
        raise UsageError("option interval takes 10ms or more")
    return interval


def _record(usage: Usage) -> dict[str, object]:
    return {
        "TotalIn": usage.total_in,
        "TotalOut": usage.total_out,
        "RateIn": usage.rate_in,
        "RateOut": usage.rate_out,
    }


def _table(title: str, usages: Mapping[Name, Usage]) -> Iterable[Record]:
    ranked = sorted(usages.items(), key=lambda item: -item[1].total_in - item[1].total_out)
    return ({title: name, **_record(usage)} for name, usage in ranked)


STATS_OPERATIONS = (
    Records("stats/bw", bandwidth, max_args=0, options=frozenset({*_TEXTS, *_FLAGS, "poll", "interval"})),
)
