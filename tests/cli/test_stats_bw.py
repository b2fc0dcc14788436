"""`stats bw`: what it asks of the daemon, and what it prints."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

BANDWIDTH = {"TotalIn": 2048, "TotalOut": 5, "RateIn": 1536.5, "RateOut": 0}


def test_the_total_is_a_block(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["stats/bw"] = api.records(BANDWIDTH)
    outcome = run("stats", "bw", "-p", "B", "--api", daemon.address)
    assert outcome.out.splitlines() == [
        "Bandwidth",
        "TotalIn: 2.0 KiB",
        "TotalOut: 5 B",
        "RateIn: 1.5 KiB/s",
        "RateOut: 0 B/s",
    ]
    assert daemon.last.options == {"peer": "B"}


def test_no_peers_are_titles_and_a_mistake_is_not(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    daemon.answers["stats/bw"] = api.records()
    assert run("stats", "bw", "--peers", "--api", daemon.address).out.startswith("Total In ")
    daemon.answers["stats/bw"] = api.sized({"Message": "no", "Code": 0, "Type": "error"}, 500)
    outcome = run("stats", "bw", "--peers", "--api", daemon.address)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", "Error: no\n")


@pytest.mark.parametrize(
    ("words", "named", "options"),
    [
        (["--peers"], {"Peer": "12D3\x1b"}, {"peers": "true"}),
        (["--protocols"], {"Protocol": "12D3\x1b"}, {"protocols": "true"}),
        (["--poll", "-i", "2s"], {}, {"poll": "true", "interval": "2s"}),
    ],
)
def test_several_are_a_line_each(
    daemon: Any,
    api: ModuleType,
    run: Callable[..., Any],
    words: list[str],
    named: dict[str, str],
    options: dict[str, str],
) -> None:
    daemon.answers["stats/bw"] = api.records({**BANDWIDTH, **named}, {**BANDWIDTH, **named})
    outcome = run("stats", "bw", *words, "--api", daemon.address)
    line = "2.0 KiB       5 B           1.5 KiB/s     0 B/s"
    shown = f"{line}         12D3\\x1b" if named else line
    assert outcome.out.splitlines() == [
        "Total In      Total Out     Rate In       Rate Out",
        shown,
        shown,
    ]
    assert daemon.last.options == options
