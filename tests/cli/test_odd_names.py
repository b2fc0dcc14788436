"""Names of files that are no text, or that would do something to a terminal."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli.text import safe_field
from peershelf.node.operations.texts import as_text, text_fields

Run = Callable[..., Any]
NAMES = {b"\xff\xfe", b"caf\xe9", "größe".encode(), b"\x1b[31mred", b"a\nb", "\u202egpj".encode(), b"-r"}


def true_name(record: dict[str, str], key: str = "Name") -> bytes:
    """What a reader of the JSON makes of it."""
    exact = record.get(f"{key}Bytes")
    return record[key].encode() if exact is None else base64.b64decode(exact)


@pytest.mark.parametrize("value", [*sorted(NAMES), b"", "\ufffd".encode()])
def test_json_has_the_true_bytes_and_only_valid_text(value: bytes) -> None:
    record = text_fields("Name", value)
    assert true_name(json.loads(json.dumps(record))) == value
    assert record["Name"] == as_text(os.fsdecode(value)) == value.decode("utf-8", "replace")
    record["Name"].encode()  # no lone surrogate, which not every reader of JSON takes
    assert safe_field(record, "Name").isprintable()


def test_names_of_a_tree_are_told_as_they_are(run: Run, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in NAMES:
        (tree / os.fsdecode(name)).write_bytes(name)
    (tree / "link").symlink_to(os.fsdecode(b"\xff"))
    added = [json.loads(line) for line in run("add", "-r", "--json", tree).out.splitlines()]
    assert {true_name(record) for record in added} == {b"tree", b"tree/link"} | {
        b"tree/" + name for name in NAMES
    }
    cid = added[-1]["Hash"]
    listed = [
        json.loads(line)["Objects"][0]["Links"][0] for line in run("ls", "--json", cid).out.splitlines()
    ]
    assert {true_name(link) for link in listed} == {b"link"} | NAMES
    assert [true_name(link, "Target") for link in listed if link["Type"] == 4] == [b"\xff"]
    shown = run("ls", "-l", cid).out
    assert len(shown.splitlines()) == len(listed)
    assert shown.replace("\n", "").isprintable()
