"""What each command asks of the daemon and what it prints of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ID = {
    "ID": "12D3KooWA",
    "PublicKey": "CAESIA==",
    "Addresses": ["/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWA", "/ip6/::1/tcp/4001/p2p/12D3KooWA"],
    "AgentVersion": "peershelf/0.1.0",
    "Protocols": ["/ipfs/bitswap/1.2.0"],
}
STAT = {"RepoSize": 2048, "StorageMax": 10_000_000_000, "NumObjects": 3, "RepoPath": "/r", "Version": "1"}
EXCHANGED = {
    "Wantlist": [{"/": "bafyw"}],
    "Peers": ["12D3KooWB"],
    "BlocksReceived": 1,
    "DataReceived": 2048,
    "DupBlksReceived": 0,
    "DupDataReceived": 0,
    "MessagesReceived": 4,
    "BlocksSent": 5,
    "DataSent": 6,
}
BANDWIDTH = {"TotalIn": 2048, "TotalOut": 5, "RateIn": 1536.5, "RateOut": 0}
PEER = {
    "Addr": "/ip4/192.0.2.7/tcp/4001",
    "Peer": "12D3KooWB",
    "Latency": "1.20ms",
    "Direction": 2,
    "Muxer": "/yamux/1.0.0",
    "Security": "/noise",
    "Streams": [{"Protocol": "/ipfs/bitswap/1.2.0"}],
    "Identify": {"AgentVersion": "kubo/\x1b[31m"},
}

Ask = Callable[..., Any]


@pytest.fixture
def ask(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> Ask:
    """Answer one unary operation, run a command, and return what it printed."""

    def asked(operation: str, answer: Any, *words: str, code: int = 0) -> list[str]:
        daemon.answers[operation] = api.sized(answer)
        outcome = run("--api", daemon.address, *words)
        assert (outcome.code, outcome.err) == (code, "")
        assert daemon.last.name == operation
        return outcome.out.splitlines()

    return asked


@pytest.mark.parametrize(
    ("operation", "answer", "words"),
    [
        ("id", ID, ["id"]),
        ("version", {"Version": "0.1.0"}, ["version"]),
        ("repo/stat", STAT, ["repo", "stat"]),
        ("block/stat", {"Key": "bafy", "Size": 5}, ["block", "stat", "bafy"]),
        ("swarm/connect", {"Strings": ["connect 12D3KooWB success"]}, ["swarm", "connect", "/ip4/…"]),
        (
            "swarm/disconnect",
            {"Strings": ["disconnect 12D3KooWB success"]},
            ["swarm", "disconnect", "12D3KooWB"],
        ),
        ("swarm/peers", {"Peers": [PEER]}, ["swarm", "peers"]),
        ("swarm/addrs", {"Addrs": {"12D3KooWB": ["/ip4/192.0.2.7/tcp/1"]}}, ["swarm", "addrs"]),
        ("swarm/addrs/local", {"Strings": ["/ip4/192.0.2.7/tcp/1"]}, ["swarm", "addrs", "local"]),
        (
            "swarm/peering/ls",
            {"Peers": [{"ID": "12D3KooWB", "Addrs": ["/ip4/192.0.2.7/tcp/1"]}]},
            ["swarm", "peering", "ls"],
        ),
        (
            "swarm/peering/add",
            {"ID": "12D3KooWB", "Status": "success"},
            ["swarm", "peering", "add", "/ip4/…"],
        ),
        ("bootstrap/list", {"Peers": ["/ip4/192.0.2.7/tcp/1"]}, ["bootstrap", "list"]),
        ("bootstrap/add", {"Peers": None}, ["bootstrap", "add", "/ip4/…"]),
        ("bitswap/stat", EXCHANGED, ["bitswap", "stat"]),
        ("bitswap/wantlist", {"Keys": [{"/": "bafyw"}]}, ["bitswap", "wantlist"]),
        ("stats/bw", BANDWIDTH, ["stats", "bw"]),
        ("config", {"Key": "Import.Profile", "Value": "unixfs-v1-2025"}, ["config", "get", "Import.Profile"]),
        ("config/show", {"Bootstrap": []}, ["config", "show"]),
    ],
)
def test_json_has_the_keys_of_the_answer(ask: Ask, operation: str, answer: Any, words: list[str]) -> None:
    assert [json.loads(line) for line in ask(operation, answer, *words, "--json")] == [answer]


def test_id_is_a_block_for_people(ask: Ask) -> None:
    assert ask("id", ID, "id") == [
        "Peer ID:     12D3KooWA",
        "Public key:  CAESIA==",
        "Agent:       peershelf/0.1.0",
        "Addresses:   /ip4/127.0.0.1/tcp/4001/p2p/12D3KooWA",
        "             /ip6/::1/tcp/4001/p2p/12D3KooWA",
        "Protocols:   /ipfs/bitswap/1.2.0",
    ]


def test_version_is_a_line_or_a_number(ask: Ask) -> None:
    assert ask("version", {"Version": "0.1.0"}, "version") == ["peershelf version 0.1.0"]
    assert ask("version", {"Version": "0.1.0"}, "version", "-n") == ["0.1.0"]


def test_repo_stat_gives_numbers_and_readable_sizes_on_request(ask: Ask, daemon: Any) -> None:
    shown = [
        "NumObjects: 3",
        "RepoSize:   2048",
        "StorageMax: 10000000000",
        "RepoPath:   /r",
        "Version:    1",
    ]
    assert ask("repo/stat", STAT, "repo", "stat") == shown
    assert ask("repo/stat", STAT, "repo", "stat", "-sH") == ["RepoSize:   2.0 KiB", "StorageMax: 9.3 GiB"]
    assert daemon.last.options == {"size-only": "true"}


def test_block_stat_prints_key_and_size(ask: Ask) -> None:
    assert ask("block/stat", {"Key": "bafy", "Size": 5}, "block", "stat", "bafy") == ["Key: bafy", "Size: 5"]


def test_swarm_peers_lists_addresses_and_details_on_request(ask: Ask, daemon: Any) -> None:
    address = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWB"
    assert ask("swarm/peers", {"Peers": [PEER]}, "swarm", "peers") == [address]
    assert ask("swarm/peers", {"Peers": None}, "swarm", "peers") == []


def test_swarm_peers_escapes_what_a_peer_calls_itself(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    daemon.answers["swarm/peers"] = api.sized({"Peers": [PEER]})
    outcome = run("swarm", "peers", "-v", "--api", daemon.address)
    assert outcome.out.splitlines()[1:] == [
        "  outbound, latency 1.20ms, /noise, /yamux/1.0.0, kubo/\\x1b[31m",
        "  /ipfs/bitswap/1.2.0",
    ]
    assert outcome.err == f"Asking the daemon at {daemon.address}\n"
    assert daemon.last.options == {"verbose": "true"}


def test_swarm_addrs_lists_addresses_below_their_peer(ask: Ask) -> None:
    answer = {"Addrs": {"B": ["/ip4/192.0.2.7/tcp/1"], "A": []}}
    assert ask("swarm/addrs", answer, "swarm", "addrs") == ["A (0)", "B (1)", "\t/ip4/192.0.2.7/tcp/1"]


def test_a_peer_that_was_not_connected_cannot_be_left(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    lines = ["disconnect 12D3KooWA success", "disconnect 12D3KooWB failure: not connected"]
    daemon.answers["swarm/disconnect"] = api.sized({"Strings": lines})
    outcome = run("--api", daemon.address, "swarm", "disconnect", "12D3KooWA", "12D3KooWB")
    assert (outcome.code, outcome.out) == (1, "disconnect 12D3KooWA success\n")
    assert outcome.err == "Error: disconnect 12D3KooWB failure: not connected\n"


def test_bitswap_stat_counts(ask: Ask) -> None:
    shown = ask("bitswap/stat", EXCHANGED, "bitswap", "stat", "-H")
    assert shown[:4] == [
        "bitswap status",
        "\tblocks received: 1",
        "\tblocks sent: 5",
        "\tdup blocks received: 0",
    ]
    assert "\tdata received: 2.0 KiB" in shown
    assert shown[-3:] == ["\twantlist [1 keys]", "\t\tbafyw", "\tpartners [1]"]


def test_bitswap_wantlist_of_a_peer(ask: Ask, daemon: Any) -> None:
    assert ask("bitswap/wantlist", {"Keys": [{"/": "bafyw"}]}, "bitswap", "wantlist", "-p", "B") == ["bafyw"]
    assert daemon.last.options == {"peer": "B"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [("plain", ["plain"]), (True, ["true"]), (["a"], ["[", '  "a"', "]"]), ("\x1b", ["\\x1b"])],
)
def test_config_get_prints_texts_as_they_are_and_the_rest_as_json(
    ask: Ask, value: Any, shown: list[str]
) -> None:
    assert ask("config", {"Key": "K", "Value": value}, "config", "get", "K") == shown


def test_config_set_sends_key_and_value_and_says_when_it_counts(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    daemon.answers["config"] = api.sized({"Key": "K", "Value": -1})
    outcome = run("config", "set", "K", "-1", "--api", daemon.address)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "the running daemon takes this up when it starts next\n"
    assert daemon.last.args == ["K", "-1"]


def test_config_show_is_laid_out_for_people(ask: Ask) -> None:
    assert ask("config/show", {"A": 1}, "config", "show") == ["{", '  "A": 1', "}"]


def test_global_options_are_taken_before_and_after_the_command(ask: Ask, daemon: Any) -> None:
    ask("id", ID, "--offline", "id", "--timeout", "5s")
    assert daemon.last.options == {"offline": "true", "timeout": "5s"}


ADDED = [{"Name": "a", "Hash": "bafya", "Size": "1"}, {"Name": "b\x1b", "Hash": "bafyb", "Size": "1"}]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["added bafya a", "added bafyb b\\x1b"]),
        (["-q"], ["bafya", "bafyb"]),
        (["-Q"], ["bafyb"]),
        (["-Q", "--json"], [json.dumps(ADDED[1])]),
        (["--json"], [json.dumps(record) for record in ADDED]),
    ],
)
def test_add_prints_a_line_a_file(
    daemon: Any,
    api: ModuleType,
    run: Callable[..., Any],
    tmp_path: Path,
    options: list[str],
    shown: list[str],
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    daemon.answers["add"] = api.records({"Name": "a", "Bytes": 1}, *ADDED)
    outcome = run("add", *options, tmp_path / "a", tmp_path / "b", "--api", daemon.address)
    assert (outcome.code, outcome.out.splitlines(), outcome.err) == (0, shown, "")
    assert daemon.last.parts == [("a", b"a"), ("b", b"b")]


def test_add_sends_its_options_along(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["add"] = api.records(ADDED[0])
    words = (
        "-n --profile unixfs-v0-2015 --cid-version 1 --raw-leaves=false --chunker size-1024 --hash blake3"
        " --max-file-links 3 --pin=false --stdin-name notes -"
    )
    outcome = run("add", *words.split(), "--api", daemon.address, input=b"text")
    assert outcome.code == 0
    assert daemon.last.parts == [("notes", b"text")]
    assert daemon.last.options == {
        "only-hash": "true",
        "profile": "unixfs-v0-2015",
        "cid-version": "1",
        "raw-leaves": "false",
        "chunker": "size-1024",
        "hash": "blake3",
        "max-file-links": "3",
        "pin": "false",
        "progress": "false",
    }


def test_cat_prints_bytes_and_sends_its_options_along(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    daemon.answers["cat"] = api.chunked([b"hel", b"lo\xff"])
    outcome = run("cat", "-o", "5", "-l5", "--peer", "/ip4/x", "bafya", "bafyb", "--api", daemon.address)
    assert (outcome.code, outcome.out.encode("utf-8", "surrogateescape")) == (0, b"hello\xff")
    assert daemon.last.args == ["bafya", "bafyb"]
    assert daemon.last.options == {"offset": "5", "length": "5", "peer": "/ip4/x"}


def test_block_get_prints_bytes(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["block/get"] = api.chunked([b"block"])
    assert run("block", "get", "bafy", "--api", daemon.address).out == "block"


def test_block_put_takes_files_or_standard_input(
    daemon: Any, api: ModuleType, run: Callable[..., Any], tmp_path: Path
) -> None:
    daemon.answers["block/put"] = api.records({"Key": "bafy", "Size": 3})
    assert run("block", "put", "--mhtype", "blake3", "--api", daemon.address, input=b"abc").out == "bafy\n"
    assert daemon.last.parts == [("", b"abc")]
    assert daemon.last.options == {"mhtype": "blake3"}
    (tmp_path / "x").write_bytes(b"file")
    outcome = run("block", "put", tmp_path / "x", "--json", "--api", daemon.address)
    assert json.loads(outcome.out) == {"Key": "bafy", "Size": 3}
    assert daemon.last.parts == [("x", b"file")]


def test_block_rm_tells_which_could_not_be_removed(
    daemon: Any, api: ModuleType, run: Callable[..., Any]
) -> None:
    daemon.answers["block/rm"] = api.records({"Hash": "a"}, {"Hash": "b", "Error": "pinned"}, {"Hash": "c"})
    outcome = run("block", "rm", "-f", "a", "b", "c", "--api", daemon.address)
    assert (outcome.code, outcome.out) == (1, "removed a\nremoved c\n")
    assert outcome.err == "Error: cannot remove b: pinned\n"
    assert daemon.last.options == {"force": "true"}


def test_refs_local_lists_blocks(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["refs/local"] = api.records({"Ref": "a", "Err": ""}, {"Ref": "b", "Err": ""})
    assert run("refs", "local", "--api", daemon.address).out == "a\nb\n"
    daemon.answers["refs/local"] = api.records({"Ref": "", "Err": "the index is damaged"})
    outcome = run("refs", "local", "--api", daemon.address)
    assert (outcome.code, outcome.err) == (1, "Error: the index is damaged\n")


def test_ping_prints_each_round_trip(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["ping"] = api.records(
        {"Success": True, "Time": 0, "Text": "PING B."},
        {"Success": True, "Time": 626_086, "Text": ""},
        {"Success": False, "Time": 0, "Text": "Ping error: stream reset"},
    )
    outcome = run("ping", "-n", "2", "B", "--api", daemon.address)
    assert outcome.out.splitlines() == ["PING B.", "Pong received: time=0.63 ms", "Ping error: stream reset"]
    assert daemon.last.options == {"count": "2"}


def test_shutdown_through_an_api_is_quiet(daemon: Any, api: ModuleType, run: Callable[..., Any]) -> None:
    daemon.answers["shutdown"] = api.Answer(api.head(200, "Content-Length: 0"))
    outcome = run("shutdown", "--api", daemon.address)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
