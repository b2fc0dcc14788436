"""Every parser that strangers' bytes reach first. A new one is a function and a line in TARGETS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import autonats
import kads
import multistreams
import names
import nodes
import noises
import privates
import sessions
from campaign import Target
from libp2p.identity.identify.pb.identify_pb2 import Identify

from peershelf.blockstore import multihash, varint
from peershelf.blockstore.block import Block
from peershelf.blockstore.car.reader import CarReader
from peershelf.blockstore.car.writer import header, section
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.errors import (
    BlockNotFound,
    BlockTooLarge,
    InvalidCid,
    MalformedBlock,
    MalformedCar,
    NotUnixfs,
    PathNotFound,
    UnsafeEntry,
)
from peershelf.blockstore.unixfs import message as unixfs
from peershelf.blockstore.unixfs import tree_guide
from peershelf.blockstore.unixfs.resolve import PathResolver
from peershelf.blockstore.unixfs.tree_guide import OneDirectory, WholeTree
from peershelf.blockstore.unixfs.tree_reader import TreeReader
from peershelf.protocols.bitswap.messages import (
    BITSWAP_1_0_0,
    BITSWAP_1_2_0,
    Message,
    Payload,
    Prefix,
    Presence,
    WantEntry,
    encode,
)
from peershelf.protocols.bitswap.parsing import decode
from peershelf.protocols.errors import MalformedMessage, MessageTooLarge
from peershelf.protocols.libp2p.identify import MAX_AGENT, MAX_PROTOCOLS, parse_identity
from peershelf.protocols.wire import FrameDecoder, encode_frame, frame_header

_NUMBERS = (0, 1, 127, 128, 300, 2**14, 2**32 - 1, 2**63, 2**64 - 1)
_DATA = b"some bytes"
_CIDS = (
    Block.create(_DATA).cid,
    Cid.v0(multihash.multihash(multihash.SHA2_256, _DATA)),
    Cid.v1(DAG_PB, multihash.multihash(multihash.BLAKE3, _DATA)),
    Cid.v1(RAW, multihash.multihash(multihash.IDENTITY, _DATA)),
    Cid.v1(0x0129, multihash.multihash(multihash.SHA2_512, _DATA)),
)


def check_varint(data: bytes) -> None:
    try:
        value, end = varint.decode(data)
    except varint.InvalidVarint:
        return
    assert 1 <= end <= varint.MAX_LENGTH
    assert varint.encode(value) == data[:end]


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut as the first byte says."""
    step = data[0] + 1 if data else 1
    return (data[start : start + step] for start in range(0, len(data), step))


def _frames(pieces: Iterator[bytes]) -> tuple[list[bytes], type[Exception] | None]:
    decoder, found = FrameDecoder(200), list[bytes]()
    try:
        for piece in pieces:
            decoder.receive(piece)
            while (frame := decoder.next_frame()) is not None:
                found.append(bytes(frame))
    except (MessageTooLarge, MalformedMessage) as error:
        return found, type(error)
    return found, None


def check_wire(data: bytes) -> None:
    found, error = _frames(_pieces(data))
    assert (found, error) == _frames(iter([data])), "it matters how the bytes are cut"
    assert data.startswith(b"".join(encode_frame(frame) for frame in found))


def check_cid(data: bytes) -> None:
    try:
        cid = Cid.from_bytes(data)
    except InvalidCid:
        return
    assert cid.to_bytes() == data
    assert Cid.parse(str(cid)) == cid


def check_bitswap(data: bytes) -> None:
    try:
        message = decode(data)
    except MalformedMessage:
        return
    again = decode(b"".join(encode(message, BITSWAP_1_2_0)))
    assert again == message


def check_identify(data: bytes) -> None:
    try:
        identity = parse_identity(data)
    except MalformedMessage:
        return
    assert len(identity.protocols) <= MAX_PROTOCOLS
    for text in (identity.agent, *identity.protocols):
        assert len(text) <= MAX_AGENT
        assert not text or text.isprintable()


def check_dag_pb(data: bytes) -> None:
    try:
        node = pb.decode(data)
    except MalformedBlock:
        return
    assert pb.decode(pb.encode(node)) == node


def check_unixfs(data: bytes) -> None:
    try:
        message = unixfs.decode(data)
    except MalformedBlock:
        return
    assert unixfs.decode(unixfs.encode(message)) == message


def check_car(data: bytes) -> None:
    found, error = _car_events(iter([data]))
    assert (found, error) == _car_events(_pieces(data)), "it matters how the bytes are cut"


def _car_events(pieces: Iterator[bytes]) -> tuple[list[object], type[Exception] | None]:
    reader, found = CarReader(), list[object]()
    try:
        for piece in pieces:
            reader.receive(piece)
            while (event := reader.next_event()) is not None:
                found.append(event)
        reader.end()
    except (MalformedCar, BlockTooLarge) as error:
        return found, type(error)
    return found, None


def check_hamt(data: bytes) -> None:
    """A node, and the shards below it that are spelled out in their CIDs, as path resolution meets it."""
    cid = Block.create(data, codec=DAG_PB).cid
    try:
        resolver = PathResolver(cid, ["name 1", "x"])
        resolver.receive(Block(cid, data))
    except (MalformedBlock, PathNotFound):
        pass


def check_tree(data: bytes) -> None:
    """A node at the root of a tree, read as a whole and as one directory; nothing below it can be had."""
    cid = Block.create(data, codec=DAG_PB).cid
    for guide in (WholeTree(), OneDirectory(resolve=True)):
        traversal = Traversal([tree_guide.root(cid)], guide, unique=False)
        reader = TreeReader()
        try:
            for _ in range(50):
                for wanted in traversal.wants(1 << 20):
                    if wanted == cid:
                        traversal.receive(Block(cid, data))
                    else:
                        traversal.fail(wanted, BlockNotFound("fuzz"))
                for visit in traversal.read():
                    reader.take(visit)
                if traversal.done:
                    break
        except (MalformedBlock, NotUnixfs, UnsafeEntry, BlockNotFound):
            pass


def _car_samples() -> list[bytes]:
    blocks = [Block.create(_DATA + bytes([n])) for n in range(4)]
    v1 = header([blocks[0].cid, _CIDS[1]]) + b"".join(b"".join(section(block)) for block in blocks)
    v2 = bytes.fromhex("0aa16776657273696f6e02") + bytes(16)
    v2 += b"".join(number.to_bytes(8, "little") for number in (64, len(v1), 0)) + bytes(13)
    return [v1, v2 + v1 + b"an index"]


def _hamt_samples() -> list[bytes]:
    inner = Block.create(_unixfs_samples()[2], codec=DAG_PB, hash_code=multihash.IDENTITY).cid
    made = []
    for fanout, name in ((8, b"%X"), (16, b"%X"), (256, b"%02X"), (1024, b"%03X")):
        links = tuple(
            pb.Link(cid, name % slot + (b"name 1" if slot % 2 else b""), 1)
            for slot, cid in enumerate((*_CIDS, inner))
        )
        content = unixfs.Data(unixfs.DataType.HAMT, data=b"\x3f", hash_type=0x22, fanout=fanout)
        made.append(pb.encode(pb.PbNode(unixfs.encode(content), links)))
    directory = unixfs.encode(unixfs.Data(unixfs.DataType.DIRECTORY))
    links = tuple(pb.Link(cid, b"name %d" % n, 1 << n) for n, cid in enumerate(_CIDS))
    return [*made, pb.encode(pb.PbNode(directory, links))]


def _bitswap_samples() -> list[bytes]:
    wants = tuple(WantEntry(cid, n - 1, n == 2, n == 3, n > 1) for n, cid in enumerate(_CIDS))
    payloads = tuple(Payload(Prefix.of(cid), _DATA) for cid in _CIDS[:3])
    presences = tuple(Presence(cid, n % 2 == 0) for n, cid in enumerate(_CIDS))
    messages = [
        Message(wants=wants, full=True),
        Message(payloads=payloads),
        Message(presences=presences, pending_bytes=-1),
        Message(wants=wants, payloads=payloads, presences=presences, pending_bytes=70_000),
    ]
    made = [b"".join(encode(m, version)) for m in messages for version in (BITSWAP_1_2_0, BITSWAP_1_0_0)]
    return [sample for sample in made if sample]


def _identify_sample() -> bytes:
    return Identify(
        protocol_version="ipfs/0.1.0",
        agent_version="kubo/0.30",
        public_key=bytes(36),
        listen_addrs=[bytes(8)] * 3,
        observed_addr=bytes(8),
        protocols=["/ipfs/id/1.0.0", "/ipfs/bitswap/1.2.0"],
    ).SerializeToString()


def _dag_pb_samples() -> list[bytes]:
    links = tuple(pb.Link(cid, b"name %d" % n, 1 << n) for n, cid in enumerate(_CIDS))
    nodes = (pb.PbNode(_DATA, links), pb.PbNode(_DATA), pb.PbNode(None, links))
    return [pb.encode(node) for node in nodes]


def _unixfs_samples() -> list[bytes]:
    file = unixfs.DataType.FILE
    return [
        unixfs.encode(unixfs.Data(file, data=_DATA, filesize=10)),
        unixfs.encode(unixfs.Data(file, filesize=300, blocksizes=(100, 200))),
        b"\x08\x05\x12\x01\x01\x28\x22\x30\x80\x02",
    ]


_WIRE = [b"".join(encode_frame(bytes(size)) for size in (5, 0, 1, 130, 50)), frame_header(201) + bytes(50)]

TARGETS: dict[str, Callable[[], Target]] = {
    "varint": lambda: Target([varint.encode(number) for number in _NUMBERS], check_varint),
    "wire": lambda: Target(_WIRE, check_wire),
    "cid": lambda: Target([cid.to_bytes() for cid in _CIDS], check_cid),
    "bitswap": lambda: Target(_bitswap_samples(), check_bitswap),
    "identify": lambda: Target([_identify_sample()], check_identify),
    "dag-pb": lambda: Target(_dag_pb_samples(), check_dag_pb),
    "unixfs": lambda: Target(_unixfs_samples(), check_unixfs),
    "dag-cbor": lambda: Target(nodes.CBOR_SAMPLES, nodes.check_dag_cbor),
    "dag-json": lambda: Target(nodes.JSON_SAMPLES, nodes.check_dag_json),
    "car": lambda: Target(_car_samples(), check_car),
    "hamt": lambda: Target(_hamt_samples(), check_hamt),
    "tree": lambda: Target(_hamt_samples(), check_tree),
    "yamux-frames": lambda: Target(sessions.SAMPLES, sessions.check_frames),
    "yamux-session": lambda: Target(sessions.SAMPLES, sessions.check_session),
    "noise-framing": lambda: Target(noises.MESSAGES, noises.check_framing),
    "noise-handshake": lambda: Target(noises.handshake_samples(), noises.check_handshake),
    "noise-payload": lambda: Target(noises.payload_samples(), noises.check_payload),
    "private-opening": lambda: Target(privates.CONNECTIONS, privates.check_opening),
    "private-key": lambda: Target(privates.FILES, privates.check_file),
    "autonat": lambda: Target(autonats.SAMPLES, autonats.check),
    "kad": lambda: Target(kads.samples(), kads.check, slow=kads.SLOW),
    "ipns": lambda: Target(names.record_samples(), names.check_record, slow=names.SLOW),
    "ipns-signed": lambda: Target(names.signed_samples(), names.check_signed, slow=names.SLOW),
    "public-key": lambda: Target(names.key_samples(), names.check_key, slow=names.SLOW),
    "multistream": lambda: Target(multistreams.SAMPLES, multistreams.check_answer),
    "multistream-select": lambda: Target(multistreams.SAMPLES, multistreams.check_select),
}


@cache
def target(name: str) -> Target:
    return TARGETS[name]()
