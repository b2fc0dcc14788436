"""docs/json.md says which fields the commands print with --json: no others, and all of them."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.pack import PackStore
from peershelf.cli import commands

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"
ROW = re.compile(r"^\| `([^`|]+)` \| ([a-z, ]+) \| .+ \|$", re.MULTILINE)
MAPS = ("Addrs", "System", "Transient")
"""Objects whose keys are no names of fields."""
NO_JSON = {"cat", "get", "block get", "dag export", "completion", "shutdown", "dag get"}
NOT_RUN = {"config show", "routing get", "routing put", "routing findprovs"}
"""They take a value that was signed, or a network of peers, or print what has a document of its own."""
DENIED = "bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q"

Fields = dict[str, set[str]]


def documented() -> dict[str, Fields]:
    """By command: its fields, with their types, and `sometimes` or `rarely` among these."""
    found = {}
    for section in DOCUMENT.read_text().split("\n## ")[1:]:
        fields = {path: set(types.split(", ")) for path, types in ROW.findall(section)}
        for name in section.partition("\n")[0].split(", "):
            found[name] = fields
    return found


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a JSON value as a path, with its type. Of lists `[]` stands for each item."""
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{prefix}.{'*' if prefix in MAPS else key}".lstrip(".")
            yield name, kind(inner)
            yield from flat(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield f"{prefix}[]", kind(inner)
            yield from flat(inner, f"{prefix}[]")


def kind(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "number", float: "number", list: "list", dict: "object"}
    return names.get(type(value), "null")


class Printed:
    """What was seen of every command."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Any]] = defaultdict(list)

    def run(self, shelf: Any, *words: str | Path, code: int = 0, **options: Any) -> Any:
        """Run a command, and keep what it prints; returns the last line."""
        done = shelf.run("--json", *words, **options)
        assert done.returncode == code, done.stderr
        texts = [str(word) for word in words]
        name = next(" ".join(texts[:n]) for n in (3, 2, 1) if " ".join(texts[:n]) in commands.NAMES)
        self.lines[name] += map(json.loads, done.stdout.splitlines())
        return self.lines[name][-1]


def use_files(seen: Printed, shelf: Any, folder: Path) -> str:
    """Add, list and look at a tree; returns its CID."""
    odd = Path(os.fsdecode(os.fsencode(folder / "tree") + b"/\xff"))
    odd.parent.mkdir()
    odd.write_bytes(b"odd name")
    (folder / "tree" / "link").symlink_to("file")
    (folder / "tree" / "file").write_bytes(bytes(100))
    root: str = seen.run(shelf, "add", "-r", folder / "tree")["Hash"]
    for words in (("ls", root), ("refs", root), ("resolve", f"{root}/file"), ("dag", "stat", root)):
        seen.run(shelf, *words)
    seen.run(shelf, "dag", "resolve", f"{root}/file")
    seen.run(shelf, "dag", "put", input=b'{"a": 1}')
    (folder / "car").write_bytes(shelf("dag", "export", root))
    seen.run(shelf, "dag", "import", "--stats", folder / "car")
    return root


def use_pins_and_blocks(seen: Printed, shelf: Any, root: str, folder: Path) -> None:
    cid = seen.run(shelf, "block", "put", folder / "tree" / "file")["Key"]
    seen.run(shelf, "block", "stat", cid)
    for words in (("add", cid), ("ls",), ("verify", "-v"), ("update", cid, root), ("rm", root)):
        seen.run(shelf, "pin", *words)
    loose = seen.run(shelf, "block", "put", "-", input=b"loose")["Key"]
    seen.run(shelf, "block", "rm", loose)
    for words in (("refs", "local"), ("repo", "ls"), ("repo", "stat"), ("repo", "gc")):
        seen.run(shelf, *words)


def use_what_is_broken(seen: Printed, shelf: Any, root: str) -> None:
    (leaf,) = shelf.text("refs", "-r", root).splitlines()[-1:]
    with PackStore.open(shelf.path) as store:
        store.delete_many([Cid.parse(leaf)])
    seen.run(shelf, "pin", "verify", code=1)
    seen.run(shelf, "repo", "verify", code=1)


def use_settings(seen: Printed, shelf: Any, peer: str) -> None:
    address, filtered = f"/ip4/192.0.2.1/tcp/4001/p2p/{peer}", "/ip4/192.0.2.0/ipcidr/24"
    seen.run(shelf, "version")
    for words in (("add", address), ("list",), ("rm", address)):
        seen.run(shelf, "bootstrap", *words)
    for words in (("add", filtered), (), ("rm", filtered)):
        seen.run(shelf, "swarm", "filters", *words)
    lists = shelf.path / "denylists"
    lists.mkdir()
    (lists / "mine.deny").write_text(
        "name: mine\n---\n/ipfs/bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q\n"
    )
    seen.run(shelf, "denylist", "check", "bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q")
    seen.run(shelf, "denylist", "ls")


def use_peers(seen: Printed, shelf: Any, address: str, root: str) -> None:
    peer = address.rpartition("/")[2]
    seen.run(shelf, "swarm", "connect", address)
    for words in ((), ("-v",)):
        seen.run(shelf, "swarm", "peers", *words)
    for words in (("id", peer), ("ping", "-n", "1", peer), ("bitswap", "stat"), ("bitswap", "wantlist")):
        seen.run(shelf, *words)
    for words in (("addrs",), ("addrs", "local"), ("addrs", "autonat"), ("resources",)):
        seen.run(shelf, "swarm", *words)
    for words in (("add", address), ("ls",), ("rm", peer)):
        seen.run(shelf, "swarm", "peering", *words)
    for words in ((), ("--peers",), ("--protocols",)):
        seen.run(shelf, "stats", "bw", *words)
    for words in (("findpeer", peer), ("explain", root)):
        seen.run(shelf, "routing", *words)
    seen.run(shelf, "routing", "provide", root)
    for words in (("stat",), ("clear",)):
        seen.run(shelf, "provide", *words)
    seen.run(shelf, "config", "set", "Swarm.UploadRate", "20MB/s")
    seen.run(shelf, "config", "get", "Swarm.UploadRate")
    seen.run(shelf, "swarm", "disconnect", peer)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, shelf_at: Any) -> Printed:
    """Everything, run once."""
    folder, seen = tmp_path_factory.mktemp("json"), Printed()
    one, other = (shelf_at(folder / name) for name in ("one", "other"))
    for shelf in (one, other):
        shelf.environment |= {"PEERSHELF_ROUTING_TYPE": "auto", "PEERSHELF_DISCOVERY_MDNS_ENABLED": "false"}
        shelf.environment["PEERSHELF_DENYLISTS_DIRECTORIES"] = "[]"
    seen.run(one, "init", "--repo", folder / "new")
    seen.run(one, "swarm", "genkey", "--repo", folder / "new")
    root = use_files(seen, one, folder)
    use_settings(seen, one, seen.run(other, "id")["ID"])
    with other.running(), one.running():
        seen.lines["daemon"] = [{"ID": "", "Addresses": one.addresses, "API": one.api}]
        use_peers(seen, one, other.addresses[0], root)
    seen.run(one, "repo", "migrate")
    use_what_is_broken(seen, one, root)
    one("pin", "rm", root)
    use_pins_and_blocks(seen, one, one.text("add", "-rQ", folder / "tree"), folder)
    return seen


def test_every_command_has_its_fields_in_the_document(seen: Printed) -> None:
    assert set(documented()) == set(commands.NAMES) - NO_JSON
    assert set(seen.lines) == set(commands.NAMES) - NO_JSON - NOT_RUN


@pytest.mark.parametrize("name", sorted(set(commands.NAMES) - NO_JSON - NOT_RUN))
def test_what_is_printed_is_what_is_documented(seen: Printed, name: str) -> None:
    fields = documented()[name]
    lines = [dict(flat(line)) for line in seen.lines[name]]
    assert lines
    for path, found in {(path, kind) for line in lines for path, kind in line.items()}:
        assert path in fields, f"{path} is in no document"
        assert found in fields[path] or "any" in fields[path], f"{path} is {found}"
    for path, types in fields.items():
        often = [path in line for line in lines]
        if "rarely" not in types:
            assert any(often), f"{path} was not seen"
        if not types & {"rarely", "sometimes"} and "[" not in path:
            assert all(often), f"{path} is not always there"
