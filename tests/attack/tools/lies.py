"""What peers answer that have nothing and want to be asked again."""

from __future__ import annotations

import os

from stranger import Stranger

from peershelf.blockstore.multihash import SHA2_256
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence


async def claim_all(peer: Stranger, message: Message) -> None:
    """Claim whatever is asked for, and send nothing."""
    claims = tuple(Presence(entry.cid, have=True) for entry in message.wants if not entry.cancel)
    if claims:
        await peer.say(Message(presences=claims))


async def send_something_else(peer: Stranger, message: Message) -> None:
    """Claim whatever is asked for, and send other bytes under hashes that are wrong, weak or cut off."""
    await claim_all(peer, message)
    for entry in message.wants:
        if not entry.cancel and not entry.have_only:
            wrong = Payload(Prefix.of(entry.cid), os.urandom(1_000))
            weak = Payload(Prefix(1, 0x55, 0x11, 20), os.urandom(1_000))
            bare = Payload(Prefix(1, 0x55, SHA2_256, 4), b"")
            await peer.say(Message(payloads=(wrong, weak, bare)))
