"""Operations without a daemon and without a node: they say, and leave in the repo, what they do by a node."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from filled import BY_NODE, INPUT, LARGE, PEER, Filled, damage, left_in, lose

from peershelf.blockstore.block import Block

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
    told, done = one.both_ways(words)
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
    told, done = one.both_ways(words, input=INPUT)
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
    told, done = one.both_ways(words)
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert (b"is blocked by" in told.stderr) == (words != "pin ls")


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
