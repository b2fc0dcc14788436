"""How `swarm addrs autonat` shows what came of asking."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from peershelf.cli.commands import swarm_addrs_autonat

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


def run(*, as_json: bool, record: Any = RECORD) -> int:
    daemon = SimpleNamespace(unary=lambda name: record if name == "swarm/addrs/autonat" else None)
    context: Any = SimpleNamespace(json=as_json, running_daemon=lambda: daemon)
    return swarm_addrs_autonat.run(context, SimpleNamespace())  # type: ignore[arg-type]


def test_people_read_who_said_what_of_each_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "public: the world reaches this node",
        "/ip4/45.0.0.1/tcp/4001  public, asked again after 2030-01-01T01:00:00Z",
        "\t2030-01-01T00:00:00Z  12D3Koo  reached",
    ]


def test_programs_read_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == RECORD


def test_where_there_is_nothing_to_ask_about_the_standing_is_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(as_json=False, record={"reachability": "Unknown", "checks": None}) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
