"""What the fast path imports: over a bare start of Python, a command through a daemon costs only little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from peershelf.node.archive import tar_format
from peershelf.node.archive.member import DIRECTORY, Member
from peershelf.node.archive.tar_writer import TarWriter

SLOW = [
    "argparse",
    "asyncio",
    "concurrent",
    "cryptography",
    "dataclasses",
    "email",
    "hashlib",
    "http",
    "httpx",
    "importlib.metadata",
    "inspect",
    "ipaddress",
    "libp2p",
    "logging",
    "multiaddr",
    "multiformats",
    "pathlib",
    "platformdirs",
    "sqlite3",
    "ssl",
    "starlette",
    "stringprep",
    "structlog",
    "subprocess",
    "tempfile",
    "threading",
    "tomlkit",
    "tomllib",
    "trio",
    "typing",
    "urllib",
]
"""Nothing of this is needed to talk to a daemon; each costs milliseconds, some of them hundreds."""

PROBE = """
import sys
before = set(sys.modules)
from peershelf.cli import shim
from peershelf.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["id"],
        ["version"],
        ["add", __file__],
        ["cat", "bafy"],
        ["add", "-r", str(Path(__file__).parents[1] / "bench")],
        ["get", "bafy", "-o", "tree"],
        ["ls", "bafy"],
        ["refs", "bafy"],
        ["resolve", "bafy"],
        ["dag", "stat", "bafy"],
        ["block", "get", "bafy"],
        ["block", "put", __file__],
        ["block", "stat", "bafy"],
        ["block", "rm", "bafy"],
        ["dag", "get", "bafy"],
        ["dag", "put", __file__],
        ["dag", "resolve", "bafy"],
        ["refs", "local"],
        ["repo", "stat"],
        ["swarm", "peers"],
        ["config", "show"],
        ["bootstrap", "list"],
        ["bitswap", "stat"],
        ["ping", "peer"],
        ["id", "--timeout", "5s", "--json"],
    ],
)
def test_a_command_through_a_daemon_imports_nothing_slow(
    held: Path, daemon: Any, api: ModuleType, words: list[str]
) -> None:
    identity = {"ID": "x", "PublicKey": "x", "AgentVersion": "x", "Addresses": ["x"], "Protocols": ["x"]}
    stats = {"RepoSize": 0, "StorageMax": 0, "NumObjects": 0, "RepoPath": "x", "Wantlist": [], "Peers": []}
    everything = {
        **identity,
        **stats,
        "Version": "x",
        "Key": "x",
        "Size": 1,
        "Hash": "x",
        "Name": "x",
        "Ref": "x",
        "Cid": {"/": "x"},
        "RemPath": "",
        "Path": "x",
        "Objects": [{"Hash": "x", "Links": [{"Name": "x", "Hash": "x", "Size": 1, "Type": 2}]}],
        "DagStats": [{"Cid": "x", "Size": 1, "NumBlocks": 1}],
        "UniqueBlocks": 1,
        "TotalSize": 1,
        "SharedSize": 0,
        "Ratio": 1.0,
    }
    asked = [
        "id",
        "version",
        "repo/stat",
        "block/stat",
        "swarm/peers",
        "config/show",
        "bitswap/stat",
        "bootstrap/list",
    ]
    answers = dict.fromkeys([*asked, "resolve", "dag/resolve"], api.sized(everything))
    listed = ["add", "block/put", "block/rm", "dag/put", "refs/local", "ping", "ls", "refs", "dag/stat"]
    answers |= dict.fromkeys(listed, api.records(everything))
    archive = TarWriter(b"x").begin(Member((), DIRECTORY)) + tar_format.END
    daemon.answers |= answers | dict.fromkeys(("cat", "block/get", "dag/get"), api.chunked([b"x"]))
    daemon.answers["get"] = api.chunked([archive])
    (held / "api").write_text(daemon.address)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words, "--repo", str(held)],
        cwd=held,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    imported = {module.partition(".")[0] for module in done.stderr.split()} | set(done.stderr.split())
    assert "peershelf" in imported
    assert not imported & set(SLOW)


def test_a_command_on_the_repo_itself_imports_nothing_of_the_network() -> None:
    probe = "import sys; import peershelf.cli.local; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=30
    )
    ours = {"peershelf.protocols.reachability.checker", "peershelf.protocols.routing.records.namespaces"}
    network = {"httpx", "libp2p", "multiaddr", "starlette", "structlog", "zeroconf"}
    assert not set(done.stdout.split()) & (network | ours)


def test_passing_a_call_on_to_nodejs_does_not_even_import_the_client() -> None:
    probe = "import sys; from peershelf.cli import shim; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=30
    )
    assert not set(done.stdout.split()) & {"json", "re", "socket", "peershelf.cli.main", *SLOW}
