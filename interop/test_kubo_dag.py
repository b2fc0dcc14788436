"""Structured data with Kubo: the same CIDs, the same bytes, the same paths, and blocks both ways."""

import json
from pathlib import Path

import pytest
from peer_process import PeerFailed

INLINE = "bafkqaaa"
DOCUMENTS = [
    "null",
    "true",
    '"text"',
    "0",
    "-9223372036854775808",
    "9223372036854775807",
    "[]",
    "{}",
    '{"":{"":[]}}',
    "[1.5,2.0,-0.0,1e100,1e21,1e-7,0.000001,5e-324,1.7976931348623157e308,12345678901234567.5,2.207278560684691e16]",
    '{"bb":1,"c":2,"aaa":3,"é":4,"z":5,"日本":6,"😀":7,"Z":8,"10":9,"9":10}',
    '"\\u0000\\u001f\\u007f\\u2028\\u2029<>&\\"\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude00é"',
    '{"link":{"/":"bafkqaaa"},"v0":{"/":"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"}}',
    '{"bytes":{"/":{"bytes":"AQID"}},"padded":{"/":{"bytes":"AQ=="}},"none":{"/":{"bytes":""}}}',
    '{"/":1}',
    '{"/":"bafkqaaa","x":{"/":{"bytes":"AQ","y":1}}}',
    '{"/":{"/":"bafkqaaa"}}',
    json.dumps({f"key {number}": list(range(number)) for number in range(40)}),
    "[" * 300 + "]" * 300,
]
DOCUMENTS.append(f"[{','.join(DOCUMENTS)}]")
PB_DOCUMENTS = [
    '{"Links":[]}',
    '{"Data":{"/":{"bytes":"CAE"}},"Links":[]}',
    '{"Links":[{"Hash":{"/":"bafkqaaa"},"Name":"b"},{"Hash":{"/":"bafkqaaa"},"Name":"a","Tsize":1},'
    '{"Hash":{"/":"bafkqaaa"}}]}',
]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The documents as files, in the order of their names, which is Kubo's."""
    paths = [tmp_path / f"{number:03}.json" for number in range(len(DOCUMENTS))]
    for path, document in zip(paths, DOCUMENTS, strict=True):
        path.write_text(document)
    return [str(path) for path in paths]


async def test_documents_have_the_same_cids_and_come_out_as_the_same_bytes(kubo, shelf, files) -> None:
    theirs = await kubo()
    with shelf.running():
        for codec in ("dag-cbor", "dag-json"):
            put = ("dag", "put", "--store-codec", codec)
            cids = (await theirs.cli(*put, *files)).split()
            assert shelf.text(*put, *files).split() == cids
            for output in ("dag-json", "dag-cbor"):
                get = ("dag", "get", f"--output-codec={output}", cids[-1])
                assert shelf(*get) == await theirs.cli_bytes(*get)


async def test_dag_pb_as_data(kubo, shelf, tmp_path: Path) -> None:
    theirs = await kubo()
    with shelf.running():
        for number, document in enumerate(PB_DOCUMENTS):
            file = tmp_path / f"{number}"
            file.write_text(document)
            put = ("dag", "put", "--store-codec=dag-pb", str(file))
            cid = await theirs.cli(*put)
            assert shelf.text(*put) == cid
            for output in ("dag-json", "dag-cbor"):
                get = ("dag", "get", f"--output-codec={output}", cid)
                assert shelf(*get) == await theirs.cli_bytes(*get), document
            # Kubo cannot write what it read where a field is absent.
            assert shelf("dag", "get", "--output-codec=dag-pb", cid) == await theirs.cli_bytes(
                "block", "get", cid
            )
        for words in (["dag-pb", "[]"], ["dag-pb", "{}"], ["raw", "[]"]):
            assert (
                shelf.run("dag", "put", f"--store-codec={words[0]}", input=words[1].encode()).returncode == 1
            )


async def test_paths_end_where_kubos_do(kubo, shelf, tmp_path: Path) -> None:
    theirs = await kubo(
        configure=lambda config: config["Import"].update(UnixFSHAMTDirectorySizeThreshold="1KiB")
    )
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    for number in range(60):
        (folder / f"a file of a long name {number}").write_text(str(number))
    (folder / "inner" / "ünïcödé").write_text("found")
    root = await theirs.cli("add", "-Qr", "--pin=false", str(folder))
    data = await theirs.cli("dag", "put", data=f'{{"tree":{{"/":"{root}"}},"l":[1,{{"x":null}}]}}'.encode())
    below = [
        *("", "/tree", "/l", "/l/1", "/l/01/x", "/l/0", "/tree/inner", "/tree/inner/ünïcödé"),
        *("/tree/a file of a long name 59", "/tree/inner/", "/tree//inner"),
        *(
            "/nope",
            "/l/2",
            "/l/x",
            "/l/0/x",
            "/tree/nope",
            "/tree/inner/nope",
            "/tree/inner/ünïcödé/x",
            "/tree/Links",
        ),
    ]
    plain = ["", "/tree/Links/0/Hash", "/tree/Links/0/Name", "/tree/Data", "/tree/Links/9999", "/tree/inner"]
    paths = [data + path for path in below] + [f"/ipld/{data}{path}" for path in plain]
    with shelf.running():
        shelf("swarm", "connect", theirs.address)
        for path in paths:
            try:
                expected = await theirs.cli("--enc=json", "dag", "resolve", path)
                data = await theirs.cli_bytes("dag", "get", path)
            except PeerFailed:
                assert shelf.fails("dag", "resolve", path)
                assert shelf.fails("dag", "get", path)
            else:
                assert json.loads(shelf("--json", "dag", "resolve", path)) == json.loads(expected), path
                assert shelf("dag", "get", path) == data, path


async def test_blocks_go_both_ways(kubo, daemons) -> None:
    theirs, ours = await kubo(), daemons()
    ours("swarm", "connect", theirs.address)
    for codec in ("dag-cbor", "dag-json"):
        put = ("dag", "put", "--store-codec", codec)
        leaf = await theirs.cli(*put, data=f'{{"from":"kubo {codec}"}}'.encode())
        root = await theirs.cli(*put, data=f'{{"leaf":{{"/":"{leaf}"}}}}'.encode())
        assert ours.text("dag", "get", f"{root}/leaf/from") == f'"kubo {codec}"'
        ours("pin", "add", root)
        assert ours.text("refs", "-r", "--offline", root) == leaf

        leaf = ours.text(*put, input=f'{{"from":"us {codec}"}}'.encode())
        root = ours.text(*put, "--pin", input=f'{{"leaf":{{"/":"{leaf}"}}}}'.encode())
        assert await theirs.cli("dag", "get", f"{root}/leaf/from") == f'"us {codec}"'
        await theirs.cli("pin", "add", root)
        assert await theirs.cli("refs", "-r", root) == leaf


async def test_kubos_command_line_on_our_api(kubo, shelf, tmp_path: Path) -> None:
    program = await kubo()
    file = tmp_path / "document.json"
    file.write_text('{"a":[1,{"/":"bafkqaaa"}]}')
    with shelf.running():

        async def ipfs(*words: str, data: bytes | None = None) -> str:
            return (await program.cli_bytes("--api", shelf.api, *words, data=data)).decode()

        cid = (await ipfs("dag", "put", "--pin", str(file))).strip()
        assert await ipfs("dag", "get", cid) == '{"a":[1,{"/":"bafkqaaa"}]}'
        assert await ipfs("dag", "get", f"{cid}/a/0") == "1"
        assert await ipfs("dag", "resolve", f"{cid}/a/0") == f"{cid}/a/0"
        assert await ipfs("dag", "resolve", f"{cid}/a/1") == INLINE
        assert json.loads(await ipfs("--enc=json", "dag", "resolve", f"{cid}/a")) == {
            "Cid": {"/": cid},
            "RemPath": "/a",
        }
        assert cid in await ipfs("pin", "ls", "--type=recursive")
        with pytest.raises(PeerFailed, match="no link named"):
            await ipfs("dag", "get", f"{cid}/b")
        with pytest.raises(PeerFailed, match="shortest"):
            await ipfs("dag", "put", "--input-codec=dag-cbor", data=b"\x18\x01")
