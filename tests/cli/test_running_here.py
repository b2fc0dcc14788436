"""Operations without a daemon and without a node: they say, and leave in the repo, what they do by a node."""

from __future__ import annotations

import random
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.car import writer
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore
from peershelf.cli.backend import Backend
from peershelf.cli.here import HereFirst
from peershelf.cli.local import LocalBackend
from peershelf.cli.sources import collect
from peershelf.node.opening import opened_store
from peershelf.node.providing.queue import ProvideQueue

LARGE = random.Random(2).randbytes((2 << 20) + 5)
BY_NODE = ("--timeout", "1h")
"""Deadlines are a node's, so with one the same command takes the other way."""
INPUT = b"\xa1\x61a\x01"
"""What commands read from standard input: a map in dag-cbor."""
OTHER = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
PEER = "12D3KooWGRUVh5rMFXQUB6wpHPPyYuJq9XjKXb7cCj1e8w1hEMqW"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("trees") / "tree"
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "a").write_bytes(b"hello")
    (top / "sub" / "large").write_bytes(LARGE)
    (top / "sub" / "same").write_bytes(b"hello")
    (top / "z").symlink_to("sub/large")
    for name, content in uploads().items():
        (top.parent / name).write_bytes(content)
    return top


def uploads() -> dict[str, bytes]:
    """Files that commands are given: their names, which stand for them below, and what is in them."""
    link = b'{"a": {"/": "%b"}}' % OTHER.encode()
    one, two = (Block.create(data) for data in (b"one", b"two"))
    node = Block.create(codecs.transcode(link, DAG_JSON, DAG_CBOR), codec=DAG_CBOR)
    both = writer.header([one.cid, two.cid]) + b"".join((*writer.section(one), *writer.section(two)))
    return {
        "SMALL": b"hello",
        "ONE": b"one",
        "LARGE": LARGE,
        "LINK": link,
        "CAR": both,
        "CUT": both[:-1],
        "PART": writer.header([node.cid]) + b"".join(writer.section(node)),
        "WRONG": both + b"".join(writer.section(Block(one.cid, b"another"))),
    }


class Filled:
    """A repo with the tree in it, pinned, and a file that is not."""

    def __init__(self, shelf: Any, tree: Path) -> None:
        self.shelf = shelf
        self.shelf.environment["PEERSHELF_ROUTING_TYPE"] = "dhtclient"
        self.root = shelf.text("add", "-rQ", "--chunker", "size-1000000", tree)
        self.loose = shelf.text("add", "-Q", "--pin=false", tree.parent / "tree" / "sub" / "large")
        self.data = shelf.run("dag", "put", input=b'{"a": [1, {"b": "text"}]}').stdout.decode().strip()
        self.uploads = tree.parent

    def words(self, words: str) -> list[str]:
        names = {
            "ROOT": self.root,
            "LOOSE": self.loose,
            "DATA": self.data,
            "OTHER": OTHER,
            **{name: str(self.uploads / name) for name in uploads()},
        }
        heads = (word.partition("/") for word in words.split())
        return [names.get(head, head) + slash + rest for head, slash, rest in heads]


@pytest.fixture
def filled(new_shelf: Any, tree: Path) -> Callable[[], Filled]:
    return lambda: Filled(new_shelf(), tree)


READING = [
    "pin ls",
    "pin ls --json",
    "pin ls -t all",
    "pin ls -qt indirect",
    "pin ls ROOT/a",
    "pin ls --names --name x",
    "pin verify",
    "ls ROOT",
    "ls -l --headers ROOT ROOT/sub ROOT/sub/empty",
    "ls --json ROOT/sub/large",
    "ls --size=false --resolve-type=false ROOT",
    "block get ROOT",
    "block stat ROOT",
    "block stat --json ROOT",
    "refs ROOT",
    "refs -r --unique ROOT",
    "refs -r --edges --max-depth 1 ROOT ROOT/sub",
    "refs local",
    "repo ls",
    "repo stat",
    "repo stat --json",
    "repo stat --size-only",
    "repo verify",
    "repo verify --drop --json",
    "resolve ROOT/sub/large",
    "dag stat ROOT",
    "dag stat --json ROOT ROOT/sub",
    "dag get DATA/a/1",
    "dag get --output-codec dag-cbor DATA",
    "dag resolve DATA/a/1/b",
    "get -ao - ROOT/sub/large",
    "dag export ROOT",
    "dag export --offline DATA",
    "bootstrap rm --all --json",
    "swarm filters --json",
    "swarm filters rm all --json",
    "ls --offline ROOT",
]
FAILING = [
    "pin ls OTHER",
    "pin ls nonsense",
    "pin rm OTHER",
    "pin rm ROOT/a",
    "pin rm -r=false ROOT",
    "pin add -r=false ROOT",
    "pin add --offline OTHER",
    "pin update OTHER ROOT",
    "ls --offline ROOT OTHER",
    "ls ROOT/missing",
    "ls DATA",
    "block get --offline OTHER",
    "block stat ROOT/a",
    "refs ROOT/a/b",
    "refs --edges --format <src> ROOT",
    "dag get DATA/x",
    "dag stat --offline OTHER",
    "get -ao - --offline OTHER",
    "block put LARGE",
    "block put --cid-codec nonsense SMALL",
    "block put --mhtype nonsense SMALL",
    "block put missing",
    "block rm nonsense",
    "block rm ROOT",
    "block rm ROOT/a",
    "block rm OTHER",
    "block rm --json OTHER ROOT",
    "repo verify --heal",
    "dag export --offline OTHER",
    "dag export ROOT/missing",
    "dag put -",
    "dag put missing",
    "dag put --hash nonsense --input-codec dag-cbor -",
    "dag import -",
    "dag import missing",
    "dag import WRONG",
    "dag import --json WRONG",
    "config set Nonsense 1",
    "config set Provide.Enabled nonsense",
    "bootstrap add nonsense",
    "bootstrap rm nonsense",
    "swarm filters add nonsense",
    "swarm filters rm nonsense",
]
CHANGING = [
    "pin add LOOSE",
    "pin add --json --name one LOOSE ROOT/sub",
    "pin add -r=false --no-provide LOOSE",
    "pin rm ROOT",
    "pin update ROOT LOOSE",
    "pin update --unpin=false --json ROOT ROOT/sub",
    "block put -",
    "block put --json --pin SMALL -",
    "block put --cid-codec dag-cbor --mhtype sha2-512 --pin -",
    "block rm DATA",
    "block rm -f OTHER DATA",
    "block rm -q DATA",
    "repo gc",
    "repo gc -q",
    "repo gc --json",
    "dag put --input-codec dag-cbor -",
    "dag put --input-codec dag-cbor --store-codec dag-json --json --pin -",
    "dag put LINK",
    "dag import CAR",
    "dag import --json --stats CAR CAR",
    "dag import --no-provide CAR",
    "dag import --pin-roots=false --stats CAR",
    "dag import --silent CAR",
    "config set Import.Profile unixfs-v0-2015",
    "config set --json Swarm.UploadRate 20MB/s",
    f"bootstrap add /ip4/127.0.0.1/tcp/4001/p2p/{PEER}",
    "swarm filters add /ip4/10.0.0.0/ipcidr/8",
]

FAILING_IN_THE_MIDDLE = [
    "block put - LARGE SMALL",
    "block put --cid-codec dag-pb --pin -",
    "block rm DATA ROOT",
    "dag put --pin LINK",
    "dag put --pin --offline LINK",
    "dag put LINK CAR",
    "dag import CUT",
    "dag import CAR WRONG",
    "dag import PART",
    "dag import --json --stats PART CAR",
]


@pytest.mark.parametrize("words", READING)
def test_a_node_says_the_same(filled: Callable[[], Filled], words: str) -> None:
    one = filled()
    told, done = (one.shelf.run(*one.words(words), *more) for more in ((), BY_NODE))
    assert told.returncode == 0, told.stderr
    assert told.stdout or words.startswith(("pin verify", "pin ls --names"))
    # Archives have the time at which they were made.
    if words.startswith("get"):
        assert len(told.stdout) == len(done.stdout) > len(LARGE)
    else:
        assert without_size(told.stdout) == without_size(done.stdout)
    assert told.stderr == done.stderr


def without_size(text: bytes) -> bytes:
    """The repo's size counts the words of the command, which stand in `lock`."""
    return re.sub(rb'(RepoSize"?:)\s+\d+', rb"\1", text)


def without_time(text: bytes) -> bytes:
    return re.sub(rb'"Seconds":\s*[\d.e-]+', b"", text)


@pytest.mark.parametrize("words", FAILING)
def test_a_node_fails_the_same(filled: Callable[[], Filled], words: str) -> None:
    one = filled()
    before = left_in(one.shelf)
    told, done = (one.shelf.run(*one.words(words), *more, input=INPUT) for more in ((), BY_NODE))
    assert told.returncode == 1
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert left_in(one.shelf) == before


@pytest.mark.parametrize("words", CHANGING)
def test_a_node_leaves_the_same(filled: Callable[[], Filled], words: str) -> None:
    without, by_node = filled(), filled()
    before = left_in(without.shelf)
    told = without.shelf.run(*without.words(words), input=INPUT)
    done = by_node.shelf.run(*by_node.words(words), *BY_NODE, input=INPUT)
    assert told.returncode == 0, told.stderr
    assert (without_time(told.stdout), told.stderr) == (without_time(done.stdout), done.stderr)
    assert before != left_in(without.shelf) == left_in(by_node.shelf)


@pytest.mark.parametrize("words", FAILING_IN_THE_MIDDLE)
def test_a_node_fails_the_same_and_leaves_the_same(filled: Callable[[], Filled], words: str) -> None:
    without, by_node = filled(), filled()
    before = left_in(without.shelf)
    told = without.shelf.run(*without.words(words), input=INPUT)
    done = by_node.shelf.run(*by_node.words(words), *BY_NODE, input=INPUT)
    assert told.returncode == 1
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert before != left_in(without.shelf) == left_in(by_node.shelf)


def left_in(shelf: Any) -> tuple[Any, ...]:
    """Blocks, pins without their times, what is not to be announced, and what is to be; and the settings."""
    with opened_store(shelf.path) as store:
        blocks = sorted(store.multihashes())
    with Pins(shelf.path / "facts.db") as pins:
        pinned = sorted((str(pin.cid), pin.recursive, pin.name or "") for pin in pins.list())
        hidden = pins.unannounced()
    with ProvideQueue(shelf.path / "provide.db") as queue:
        queued = set(queue.first(100))
    settings = shelf.path / "config.toml"
    return blocks, pinned, hidden, queued, settings.read_text() if settings.exists() else ""


def test_a_tree_is_written(filled: Callable[[], Filled], tmp_path: Path) -> None:
    one = filled()
    told = one.shelf.run("get", "-o", tmp_path / "out", one.root)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "out" / "sub" / "large").read_bytes() == LARGE
    assert (tmp_path / "out" / "z").readlink() == Path("sub/large")
    assert (tmp_path / "out" / "sub" / "empty").is_dir()


@pytest.mark.parametrize("words", [*READING, *CHANGING, "get -o out ROOT"])
def test_no_node_is_imported(
    filled: Callable[[], Filled],
    tmp_path: Path,
    imported_without_a_node: Callable[..., set[str]],
    words: str,
) -> None:
    one = filled()
    sets = words.startswith(("config set", "bootstrap add", "swarm filters add"))
    needs = {"tomlkit"} if sets else set()
    imported = imported_without_a_node(one.shelf, *one.words(words), cwd=tmp_path, input=INPUT, needs=needs)
    assert "peershelf.cli.running_here" in imported


def lose(shelf: Any, data: bytes) -> None:
    with PackStore.open(shelf.path) as store:
        assert store.delete_many([Block.create(data).cid]) == 1


@pytest.mark.parametrize(
    "words",
    [
        "refs -r --offline ROOT",
        "ls --offline ROOT/sub/large",
        "get -ao - --offline ROOT",
        "dag export --offline ROOT",
    ],
)
def test_a_node_goes_on_where_a_block_is_missing(filled: Callable[[], Filled], words: str) -> None:
    """What was given out before is not given out once more."""
    one = filled()
    lose(one.shelf, LARGE[1_000_000:2_000_000])
    told, done = (one.shelf.run(*one.words(words), *more) for more in ((), BY_NODE))
    assert len(told.stdout) == len(done.stdout)
    if not words.startswith("get"):
        assert told.stdout == done.stdout
    assert (told.returncode, told.stderr) == (done.returncode, done.stderr)


def damage(shelf: Any) -> None:
    for segment in (shelf.path / "segments").iterdir():
        content = segment.read_bytes()
        segment.write_bytes(content.replace(LARGE[1_000_100:1_000_200], bytes(100)))


@pytest.mark.parametrize("words", ["repo verify", "repo verify --json", "repo verify --drop"])
def test_a_store_that_is_not_sound_is_told_of_as_by_a_node(filled: Callable[[], Filled], words: str) -> None:
    without, by_node = filled(), filled()
    for one in (without, by_node):
        damage(one.shelf)
        lose(one.shelf, b"hello")
    told, done = without.shelf.run(*words.split()), by_node.shelf.run(*words.split(), *BY_NODE)
    assert told.returncode == 1
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert b"missing" in told.stdout
    assert b"damaged" in told.stdout
    assert left_in(without.shelf) == left_in(by_node.shelf)


def test_a_block_that_is_damaged_is_told_of_by_a_node(filled: Callable[[], Filled]) -> None:
    one = filled()
    damage(one.shelf)
    told, done = (one.shelf.run(*one.words("get -ao - --offline ROOT"), *more) for more in ((), BY_NODE))
    assert told.returncode == done.returncode == 1
    assert (len(told.stdout), told.stderr) == (len(done.stdout), done.stderr)


def no_node(store: object) -> Backend:
    pytest.fail("it was left to the node")


@pytest.mark.parametrize("name", ["pin/add", "pin/verify", "dag/stat", "dag/import"])
def test_progress_is_told(filled: Callable[[], Filled], name: str) -> None:
    def told(backend: Backend) -> list[Any]:
        records: list[Any] = []
        args = [one.root] if name in ("pin/add", "dag/stat") else []
        sources = collect(one.words("CAR")) if name == "dag/import" else []
        backend.records(name, records.append, args, {"progress": "true"}, sources)
        return records

    one = filled()
    without = told(HereFirst(str(one.shelf.path), {}, no_node))
    assert without[-1:] == told(LocalBackend(str(one.shelf.path)))[-1:]
    if name in ("pin/add", "dag/import"):
        assert without[0]["Progress"] >= 1


def test_progress_is_not_counted_where_a_node_goes_on(filled: Callable[[], Filled]) -> None:
    one = filled()
    lose(one.shelf, LARGE[1_000_000:2_000_000])

    class Node(Backend):
        def records(self, name: str, on_record: Any, *more: Any) -> None:
            on_record({"Progress": 1})
            on_record({"Pins": ["all"]})

        def unary(self, *more: Any) -> Any: ...

        def stream(self, *more: Any) -> None: ...

    records: list[Any] = []
    backend = HereFirst(str(one.shelf.path), {}, lambda store: Node())
    backend.records("pin/add", records.append, [one.root], {"progress": "true"})
    assert records[0]["Progress"] >= 1
    assert records[-2:] == [{"Progress": 1}, {"Pins": ["all"]}]


@pytest.mark.parametrize(
    "words",
    [
        "ls ROOT",
        "pin ls",
        "block get ROOT",
        "get -ao - ROOT",
        "pin add ROOT",
        "dag export ROOT",
        "block put ONE",
        "dag import CAR",
    ],
)
def test_what_a_denylist_forbids_is_refused_as_by_a_node(filled: Callable[[], Filled], words: str) -> None:
    one = filled()
    (one.shelf.path / "denylists").mkdir()
    (one.shelf.path / "denylists" / "mine.deny").write_text(
        f"/ipfs/{one.root}\n/ipfs/{Block.create(b'one').cid}\n"
    )
    told, done = (one.shelf.run(*one.words(words), *more) for more in ((), BY_NODE))
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert (b"is blocked by" in told.stderr) == (words != "pin ls")


def test_a_repo_without_its_key_says_so(filled: Callable[[], Filled]) -> None:
    one = filled()
    (one.shelf.path / "identity.key").unlink()
    assert "identity.key is missing" in one.shelf.fails("ls", one.root)


@pytest.mark.parametrize("words", ["pin ls -q", "block put ONE -", "repo gc"])
def test_whoever_holds_the_repo_is_waited_for(filled: Callable[[], Filled], words: str) -> None:
    one, other = filled(), filled()
    with opened_store(one.shelf.path):
        waiting = one.shelf.start(*one.words(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
    told = waiting.communicate(INPUT, timeout=30)[0]
    assert told == other.shelf(*other.words(words), input=INPUT)


def test_ctrl_c_is_heard_between_two_records(filled: Callable[[], Filled]) -> None:
    one = filled()
    shown: list[Any] = []

    def show(record: Any) -> None:
        shown.append(record)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        HereFirst(str(one.shelf.path), {}, no_node).records("pin/ls", show, (), {"stream": "true"})
    assert len(shown) == 1
    with opened_store(one.shelf.path):
        pass  # the repo was let go of


def test_what_the_output_raises_is_no_reason_to_start_again(filled: Callable[[], Filled]) -> None:
    one = filled()

    def fail(data: object) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(Exception, match="Input/output error"):
        HereFirst(str(one.shelf.path), {}, no_node).stream("block/get", fail, [one.root])
