"""Bitswap messages of any kind, and both ways between them and their bytes."""

from __future__ import annotations

from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import (
    BITSWAP_1_2_0,
    Message,
    Payload,
    Prefix,
    Presence,
    WantEntry,
    encode,
)
from peershelf.protocols.bitswap.parsing import decode

cids = st.builds(
    lambda data, codec, code: Cid.v1(codec, multihash.multihash(code, data)),
    st.binary(max_size=8),
    st.sampled_from([0x55, 0x70, 0x71, 0x0129]),
    st.sampled_from([multihash.SHA2_256, multihash.SHA2_512, multihash.BLAKE3, multihash.BLAKE2B_256]),
) | st.builds(
    lambda data: Cid.v0(multihash.multihash(multihash.SHA2_256, data)),
    st.binary(max_size=8),
)
entries = st.builds(
    WantEntry,
    cids,
    priority=st.integers(-(2**31), 2**31 - 1),
    cancel=st.booleans(),
    have_only=st.booleans(),
    send_dont_have=st.booleans(),
)
payloads = st.builds(lambda cid, data: Payload(Prefix.of(cid), data), cids, st.binary(max_size=100))
messages = st.builds(
    Message,
    wants=st.lists(entries, max_size=5).map(tuple),
    full=st.booleans(),
    payloads=st.lists(payloads, max_size=5).map(tuple),
    presences=st.lists(st.builds(Presence, cids, st.booleans()), max_size=5).map(tuple),
    pending_bytes=st.integers(-(2**31), 2**31 - 1),
)


def encoded(message: Message, protocol: str = BITSWAP_1_2_0) -> bytes:
    return b"".join(encode(message, protocol))


def parsed(data: bytes) -> Message:
    return decode(data)
