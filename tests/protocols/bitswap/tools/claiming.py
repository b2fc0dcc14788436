"""Peers that claim to have all that they are asked about, and send blocks of which a test decides."""

from __future__ import annotations

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence


def of(block: Block) -> Message:
    """A message with one block."""
    return Message(payloads=(Payload(Prefix.of(block.cid), block.data),))


def ordered(message: Message) -> list[Cid]:
    """The blocks themselves that a message asks for."""
    return [entry.cid for entry in message.wants if not (entry.cancel or entry.have_only)]


def claims(message: Message) -> tuple[Presence, ...]:
    """What says that all is there that a message asks about."""
    return tuple(Presence(entry.cid, have=True) for entry in message.wants if entry.have_only)


def told(message: Message) -> list[Cid]:
    """The blocks that a message says are wanted, of whomever."""
    return [entry.cid for entry in message.wants if not entry.cancel]
