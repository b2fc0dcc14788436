"""One thing that is wanted: who waits for it, and how the peers stand toward it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

from peershelf.blockstore.cid import Cid
from peershelf.protocols.transport import PeerId

SessionId = NewType("SessionId", int)

_REMEMBERED_LEAVERS = 64


@dataclass(slots=True, eq=False)
class Want:
    """One CID that we want, for all the sessions that wait for it."""

    cid: Cid
    serial: int
    sessions: dict[SessionId, None] = field(default_factory=dict)
    asked: set[PeerId] = field(default_factory=set)
    """Peers of whom the block itself is on order."""
    overdue: set[PeerId] = field(default_factory=set)
    """Those of them that have taken too long."""
    haves: set[PeerId] = field(default_factory=set)
    refused: set[PeerId] = field(default_factory=set)
    """Peers that said they do not have it."""
    barred: set[PeerId] = field(default_factory=set)
    """Peers that sent something else in its place."""
    left: set[PeerId] = field(default_factory=set)
    """Peers that went away before they delivered."""
    moves: int = 0
    """How often it was taken from a busy peer; without end, it could go on for ever."""
    known_since: float = 0.0
    """When peers were last told of it, all of them anew."""
    for_everyone: bool = False
    """Whether even peers that had nothing of the session so far are to be told."""

    @property
    def is_open(self) -> bool:
        """Whether somebody (else) should be asked for the block."""
        return len(self.overdue) == len(self.asked)

    def may_ask(self, peer: PeerId) -> bool:
        """Whether a peer is not asked already, and has neither denied the block nor sent something else."""
        return not (peer in self.asked or peer in self.refused or peer in self.barred)

    def peer_knows(self, peer: PeerId) -> bool:
        """Whether the peer need not be told, having been asked, or having answered."""
        return peer in self.asked or peer in self.haves or peer in self.barred

    def withdraw_from(self, peer: PeerId) -> bool:
        """The block is no longer on order from a peer. Returns whether it was."""
        was_asked = peer in self.asked
        self.asked.discard(peer)
        self.overdue.discard(peer)
        return was_asked

    def forget_peer(self, peer: PeerId) -> bool:
        """A peer went away. Returns whether the block was on order from it."""
        self.haves.discard(peer)
        self.refused.discard(peer)
        was_asked = self.withdraw_from(peer)
        if was_asked and len(self.left) < _REMEMBERED_LEAVERS:
            self.left.add(peer)
        return was_asked
