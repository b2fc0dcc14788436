"""AutoNAT v2's messages: what is read is within its bounds, and the same once it is written again."""

from __future__ import annotations

from contextlib import suppress

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.reachability.messages import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Question,
    Status,
    decode,
    decode_dial_back,
    encode,
    encode_dial_back,
)
from peershelf.protocols.reachability.service import can_dial

_ADDRESSES = (bytes([4, 8, 8, 8, 8, 6, 15, 161]), bytes([4, 10, 0, 0, 1, 6, 15, 161]))

SAMPLES = [
    encode(Question(_ADDRESSES, 1 << 60)),
    encode(Answer(Status.OK, 1, Dialed.OK)),
    encode(DataWanted(1, 50_000)),
    encode(Data(bytes(200))),
    encode_dial_back(1 << 60),
]


def check(data: bytes) -> None:
    """Read it as a message, and as a dial-back."""
    with suppress(MalformedMessage):
        message = decode(data)
        assert decode(encode(message)) == message
        if isinstance(message, Question):
            assert len(message.addresses) <= MAX_ADDRESSES
            assert all(len(address) <= MAX_ADDRESS for address in message.addresses)
            for address in message.addresses:
                can_dial(address)
    with suppress(MalformedMessage):
        nonce = decode_dial_back(data)
        assert decode_dial_back(encode_dial_back(nonce)) == nonce
