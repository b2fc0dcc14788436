"""The operations on a real node without a network: what Kubo's clients rely on."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.errors import BlockTooLarge, InvalidCid, InvalidPath
from peershelf.node import Node
from peershelf.node.errors import ConfigError, NotOnline, UsageError
from peershelf.node.operations.base import validate
from peershelf.node.operations.request import Part, Request
from peershelf.node.operations.table import OPERATIONS

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def parts(*files: tuple[str, bytes]) -> AsyncIterator[Part]:
    for name, data in files:
        yield Part(name, "file", pieces(data))


def request(*args: str, upload: AsyncIterator[Part] | None = None, **options: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return Request(args, named, upload) if upload is not None else Request(args, named)


async def unary(node: Node, name: str, *args: str, **options: str) -> Any:
    asked = request(*args, **options)
    validate(OPERATIONS[name], asked)
    return await OPERATIONS[name].handler(node, asked)


async def records(node: Node, name: str, *args: str, upload: Any = None, **options: str) -> list[Any]:
    asked = request(*args, upload=upload, **options)
    validate(OPERATIONS[name], asked)
    async with aclosing(OPERATIONS[name].handler(node, asked)) as answer:
        return [record async for record in answer]


async def stream(node: Node, name: str, *args: str, **options: str) -> tuple[bytes, int | None]:
    asked = request(*args, **options)
    validate(OPERATIONS[name], asked)
    answer = await OPERATIONS[name].handler(node, asked)
    return b"".join([bytes(chunk) async for chunk in answer.chunks]), answer.length


async def test_add_answers_with_kubos_keys(node: Node) -> None:
    assert await records(node, "add", upload=parts(("x", b"hello world\n"), ("", b""))) == [
        {"Name": "x", "Hash": "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4", "Size": "12"},
        {
            "Name": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
            "Hash": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
            "Size": "0",
        },
    ]


async def test_add_tells_how_far_it_is(node: Node) -> None:
    async def chunked() -> AsyncIterator[Part]:
        yield Part("big", "file", pieces(*[bytes(200_000)] * 10))

    answer = await records(node, "add", upload=chunked(), progress="true")
    told = [record["Bytes"] for record in answer if "Bytes" in record]
    assert told == sorted(told)
    assert told[-1] == 2_000_000
    assert len(told) > 3
    assert "Hash" in answer[-1]


async def test_a_part_that_is_a_file_is_read_as_one(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(3 << 20))

    async def on_disk() -> AsyncIterator[Part]:
        with FileIO(path) as file:
            yield Part("big", "file", pieces(), file)

    answer = await records(node, "add", upload=on_disk(), progress="true")
    assert [record["Bytes"] for record in answer if "Bytes" in record] == [1 << 20, 2 << 20, 3 << 20]
    assert answer[-1] == (await records(node, "add", upload=parts(("big", bytes(3 << 20)))))[-1]


@pytest.mark.parametrize(
    ("options", "cid"),
    [
        ({}, "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"),
        ({"cid_version": "0"}, "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"),
        ({"profile": "unixfs-v0-2015"}, "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"),
        (
            {"cid_version": "1", "raw_leaves": "false"},
            "bafybeicg2rebjoofv4kbyovkw7af3rpiitvnl6i7ckcywaq6xjcxnc2mby",
        ),
    ],
)
async def test_add_options_choose_the_cid(node: Node, options: dict[str, str], cid: str) -> None:
    (record,) = await records(node, "add", upload=parts(("x", b"hello world\n")), only_hash="true", **options)
    assert record["Hash"] == cid
    assert (await node.stats()).blocks == 0


@pytest.mark.parametrize(
    "options",
    [
        {"hash": "md5"},
        {"hash": "nonsense"},
        {"chunker": "rabin"},
        {"chunker": "size-0"},
        {"chunker": "size-99999999"},
        {"cid_version": "2"},
        {"profile": "fast"},
        {"max_file_links": "1"},
        {"trickle": "true"},
        {"nonsense": "1"},
        {"cid_version": "0", "hash": "blake3"},
    ],
)
async def test_bad_add_options_are_refused_before_anything_is_stored(
    node: Node, options: dict[str, str]
) -> None:
    with pytest.raises(ValueError) as raised:
        await records(node, "add", upload=parts(("x", bytes(3_000_000))), **options)
    assert "\n" not in str(raised.value)
    assert (await node.stats()).blocks == 0


async def test_cat_joins_files_and_knows_the_length_of_one(node: Node) -> None:
    one, two = await node.add(b"one"), await node.add(b"two")
    assert await stream(node, "cat", str(one)) == (b"one", 3)
    assert await stream(node, "cat", str(one), f"/ipfs/{two}") == (b"onetwo", None)
    assert await stream(node, "cat", str(one), offset="1", length="1") == (b"n", 1)
    assert await stream(node, "cat", str(one), offset="9") == (b"", 0)


@pytest.mark.parametrize(
    ("option", "data"),
    [
        ({"offset": "1"}, b"netwothree"),
        ({"offset": "4", "length": "3"}, b"wot"),
        ({"offset": "6"}, b"three"),
        ({"length": "3"}, b"one"),
        ({"length": "0"}, b""),
        ({"offset": "99"}, b""),
    ],
)
async def test_a_range_counts_over_all_files_together(
    node: Node, option: dict[str, str], data: bytes
) -> None:
    cids = [str(await node.add(content)) for content in (b"one", b"two", b"three")]
    assert await stream(node, "cat", *cids, **option) == (data, None)


async def test_files_behind_the_end_of_a_range_are_not_asked_for(node: Node) -> None:
    one = str(await node.add(b"one"))
    assert await stream(node, "cat", one, HELLO, length="3") == (b"one", None)


@pytest.mark.parametrize("option", [{"offset": "-1"}, {"length": "x"}, {"offset": "1e3"}])
async def test_cat_refuses_what_is_no_number(node: Node, option: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        await stream(node, "cat", HELLO, **option)


async def test_blocks_by_codec_and_hash(node: Node) -> None:
    (plain,) = await records(
        node, "block/put", upload=parts(("", b"hi")), allow_big_block="false", mhlen="-1"
    )
    assert plain == {"Key": "bafkreiepinbumzepnoln7co5vea4kf3lcctnqolb3u6bvsellgznymt2uq", "Size": 2}
    (bare,) = await records(node, "block/put", upload=parts(("", b"x")), cid_codec="protobuf")
    assert bare["Key"] == "bafibeibnoelefnzgwbcacyt4vh52ymxvzbjq7mmqhtcnwarfq4lzegsiqe"
    (blake,) = await records(node, "block/put", upload=parts(("", b"hi")), mhtype="blake3")
    assert await stream(node, "block/get", blake["Key"]) == (b"hi", 2)
    assert await unary(node, "block/stat", blake["Key"]) == {"Key": blake["Key"], "Size": 2}


async def test_a_block_over_the_limit_is_refused_as_it_arrives(node: Node) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    async def upload() -> AsyncIterator[Part]:
        chunks = endless()
        try:
            yield Part("", "file", chunks)
        finally:
            await chunks.aclose()

    source = upload()
    with pytest.raises(BlockTooLarge):
        await records(node, "block/put", upload=source)
    await source.aclose()


async def test_removing_blocks_reports_each(node: Node) -> None:
    loose = str((await node.put_block(b"loose")).cid)
    pinned = str(await node.add(b"pinned"))
    gone, kept, absent = await records(node, "block/rm", loose, pinned, HELLO)
    assert gone == {"Hash": loose}
    assert "pin" in kept["Error"]
    assert "not in the store" in absent["Error"]
    assert await records(node, "block/rm", HELLO, force="true") == [{"Hash": HELLO}]
    assert await records(node, "block/rm", HELLO, force="true", quiet="true") == []


async def test_a_block_is_not_named_by_a_path(node: Node) -> None:
    with pytest.raises(InvalidPath):
        await stream(node, "block/get", f"{HELLO}/x")
    with pytest.raises(InvalidCid):
        await unary(node, "block/stat", "nonsense")


async def test_refs_local_lists_every_block(node: Node) -> None:
    cids = {str(await node.add(bytes([number]))) for number in range(50)}
    answer = await records(node, "refs/local")
    assert {record["Ref"] for record in answer} == cids
    assert {record["Err"] for record in answer} == {""}


async def test_repo_stat_counts(node: Node) -> None:
    await node.add(b"x")
    stat = await unary(node, "repo/stat")
    assert stat["NumObjects"] == 1
    assert stat["RepoSize"] > 0
    assert stat["StorageMax"] == 10**10
    assert stat["RepoPath"] == str(node.repo.path)


async def test_id_and_version_have_kubos_keys(node: Node) -> None:
    told = await unary(node, "id", peerid_base="b58mh")
    assert set(told) == {"ID", "PublicKey", "Addresses", "AgentVersion", "Protocols"}
    assert told["ID"] == node.repo.identity.peer_id
    version = await unary(node, "version")
    assert told["AgentVersion"] == f"peershelf/{version['Version']}"
    assert all(isinstance(value, str) for value in version.values())


async def test_config_reads_sets_and_refuses(node: Node) -> None:
    assert await unary(node, "config", "Log.Level") == {"Key": "Log.Level", "Value": "info"}
    assert await unary(node, "config", "Log.Level", "error") == {"Key": "Log.Level", "Value": "error"}
    assert await unary(node, "config", "Bootstrap", "[]", json="true") == {"Key": "Bootstrap", "Value": []}
    assert 'Level = "error"' in (node.repo.path / "config.toml").read_text()
    with pytest.raises(ConfigError, match="did you mean"):
        await unary(node, "config", "Log.Levle", "error")
    assert (await unary(node, "config/show"))["Addresses"]["API"] == "/ip4/127.0.0.1/tcp/5001"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("swarm/peers", ()),
        ("swarm/connect", ("/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV",)),
        ("swarm/addrs", ()),
        ("swarm/addrs/local", ()),
        ("swarm/addrs/autonat", ()),
        ("bitswap/stat", ()),
        ("bitswap/wantlist", ()),
    ],
)
async def test_what_needs_the_network_says_so_offline(node: Node, name: str, args: tuple[str, ...]) -> None:
    with pytest.raises(NotOnline, match="node daemon"):
        await unary(node, name, *args)


async def test_shutdown_asks_and_answers(node: Node) -> None:
    assert await unary(node, "shutdown") == {}
    assert node.shutdown_requested.is_set()
