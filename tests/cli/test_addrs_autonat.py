"""How `swarm addrs autonat` shows what came of asking."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

RECORD = {
    "reachability": "Public",
    "reachable": ["/ip4/45.0.0.1/tcp/4001"],
    "unreachable": [],
    "unknown": [],
    "checks": [
        {
            "address": "/ip4/45.0.0.1/tcp/4001",
            "reachability": "Public",
            "next": "2030-01-01T01:00:00Z",
            "asked": [{"peer": "12D3Koo", "outcome": "reached", "when": "2030-01-01T00:00:00Z"}],
        }
    ],
}


@pytest.fixture
def show(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> Callable[..., str]:
    """What the command prints of a daemon's answer."""

    def ask(record: object, *words: str) -> str:
        daemon.answers["swarm/addrs/autonat"] = api.sized(record)
        outcome = run("swarm", "addrs", "autonat", *words, "--api", daemon.address)
        assert (outcome.code, outcome.err) == (0, "")
        return str(outcome.out)

    return ask


def test_people_read_who_said_what_of_each_address(show: Callable[..., str]) -> None:
    assert show(RECORD).splitlines() == [
        "public: the world reaches this node",
        "/ip4/45.0.0.1/tcp/4001  public, asked again after 2030-01-01T01:00:00Z",
        "\t2030-01-01T00:00:00Z  12D3Koo  reached",
    ]


def test_programs_read_all_of_it(show: Callable[..., str]) -> None:
    assert json.loads(show(RECORD, "--json")) == RECORD


def test_where_there_is_nothing_to_ask_about_the_standing_is_all(show: Callable[..., str]) -> None:
    assert len(show({"reachability": "Unknown", "checks": None}).splitlines()) == 1
