"""A repo with something in it, and what else commands are given."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from peershelf.blockstore.block import Block
from peershelf.blockstore.car import writer
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore
from peershelf.node.opening import opened_store
from peershelf.node.providing.queue import ProvideQueue

LARGE = random.Random(2).randbytes((2 << 20) + 5)
BY_NODE = ("--timeout", "1h")
"""Deadlines are a node's, so with one the same command takes the other way."""
INPUT = b"\xa1\x61a\x01"
"""What commands read from standard input: a map in dag-cbor."""
OTHER = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
PEER = "12D3KooWGRUVh5rMFXQUB6wpHPPyYuJq9XjKXb7cCj1e8w1hEMqW"


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

    def both_ways(self, words: str, **how: Any) -> tuple[Any, Any]:
        """What the command comes to without a node, and then by one."""
        told, done = (self.shelf.run(*self.words(words), *more, **how) for more in ((), BY_NODE))
        return told, done


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


def lose(shelf: Any, data: bytes) -> None:
    with PackStore.open(shelf.path) as store:
        assert store.delete_many([Block.create(data).cid]) == 1


def damage(shelf: Any) -> None:
    for segment in (shelf.path / "segments").iterdir():
        content = segment.read_bytes()
        segment.write_bytes(content.replace(LARGE[1_000_100:1_000_200], bytes(100)))
