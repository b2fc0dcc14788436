"""How the peers answered for a CID, to tell the user when nobody had it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.want import Want
from peershelf.protocols.transport import PeerId


class Answer(StrEnum):
    """What came of asking a peer; the values are words for a user."""

    NONE = "did not answer"
    HAVE = "says it has it"
    DONT_HAVE = "does not have it"
    WRONG_BYTES = "sent something else"
    LEFT = "went away"


def answers(want: Want, providers: Iterable[Provider]) -> dict[PeerId, Answer]:
    """Tell how every peer that was asked for a block, or about it, stands."""
    found = dict.fromkeys(want.left, Answer.LEFT)
    for provider in providers:
        if provider.peer in want.asked or want.cid in provider.outbox:
            found[provider.peer] = Answer.NONE
    found |= dict.fromkeys(want.haves, Answer.HAVE)
    found |= dict.fromkeys(want.refused, Answer.DONT_HAVE)
    found |= dict.fromkeys(want.barred, Answer.WRONG_BYTES)
    return found
