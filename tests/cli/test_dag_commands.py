"""dag get, put and resolve as their users run them, with and without a daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCUMENT = '{"name": "ü", "list": [1, {"deep": 1.5}], "bytes": {"/": {"bytes": "AQID"}}}'
CANONICAL = '{"bytes":{"/":{"bytes":"AQID"}},"list":[1,{"deep":1.5}],"name":"ü"}'


def test_data_go_in_and_come_out_through_paths(node: Any, tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_text(DOCUMENT)
    cid = node.text("dag", "put", file)
    link = node.text("dag", "put", "--store-codec", "dag-json", input=f'{{"to":{{"/":"{cid}"}}}}'.encode())
    assert node("dag", "get", cid) == CANONICAL.encode()
    assert node("dag", "get", f"{link}/to/list/1") == b'{"deep":1.5}'
    assert node("dag", "get", "--output-codec", "raw", f"{link}/to/bytes") == b"\x01\x02\x03"
    assert node("dag", "get", "--output-codec", "dag-cbor", cid) == node("block", "get", cid)
    assert node.text("dag", "resolve", f"{link}/to/list/1") == f"{cid}/list/1"
    assert node.text("dag", "resolve", f"{link}/to") == cid
    assert json.loads(node("--json", "dag", "resolve", f"{link}/to/name")) == {
        "Cid": {"/": cid},
        "RemPath": "/name",
    }
    both = [json.loads(line) for line in node("--json", "dag", "put", file, file).splitlines()]
    assert both == [{"Cid": {"/": cid}}] * 2
    assert node.text("refs", link) == cid


def test_what_is_pinned_survives_a_collection_with_all_that_is_below(node: Any) -> None:
    leaf = node.text("dag", "put", input=b"[1]")
    root = node.text("dag", "put", "--pin", input=f'{{"leaf":{{"/":"{leaf}"}}}}'.encode())
    loose = node.text("dag", "put", input=b"[2]")
    assert node.text("pin", "ls") == f"{root} recursive"
    assert f"removed bafkrei{loose.removeprefix('bafyrei')}" in node.text("repo", "gc")
    assert node("dag", "get", f"{root}/leaf") == b"[1]"
    assert "not in the store" in node.fails("dag", "get", "--offline", loose)


def test_failures_are_one_line(shelf: Any) -> None:
    cid = shelf.text("dag", "put", input=DOCUMENT.encode())
    assert "no link named '7'" in shelf.fails("dag", "get", f"{cid}/list/7")
    assert "64 bits" in shelf.fails("dag", "put", input=b"[18446744073709551616]")
    assert "twice" in shelf.fails("dag", "put", input=b'{"a":1,"a":2}')
    assert "shortest" in shelf.fails("dag", "put", "--input-codec", "dag-cbor", input=b"\x18\x01")
    assert "deep" in shelf.fails("dag", "put", input=b"[" * 100_000)
    assert "dag-pb" in shelf.fails("dag", "get", "--output-codec", "dag-pb", cid)
    assert "2097152" in shelf.fails("dag", "put", input=b'"' + b"x" * (2 << 20) + b'"')
    assert "is one of" in shelf.fails("dag", "put", "--store-codec", "xml", input=b"1")
    assert "only false" in shelf.fails("dag", "put", "--allow-big-block", input=b"1")
    for words in (("get",), ("resolve", "a", "b")):
        assert shelf.run("dag", *words, input=b"1").returncode == 2
