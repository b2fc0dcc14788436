"""The asking half of bitswap, without I/O: whom to ask for what, and whom next.

Theory of operation. Sessions that want the same CID share one Want. Inputs (wants, answers, peers coming and
going, time) only change what is known; decide() then draws the conclusions, which are changes in the peers'
outboxes for the driver to send.

- A want is *open* while nobody is asked for its block, or everybody who is has taken too long.
- Open wants are asked of peers with room in their window: those that said HAVE; those that have had all that
  the session asked them so far; the only peer there is; or, while the session knows nobody, the peer that has
  delivered best. These get a want-block at once, with no round trip to ask whether they have it.
- Everyone else is told a want-have, and answers now or when the block arrives there. Peers that keep missing
  are not told of a session's new wants while others do better, unless a want goes overdue.
- Silence, DONT_HAVE and disconnection open the want again. Who was asked in vain may still deliver.
- A peer that has never sent a block, only word, is not waited for long: soon one who delivers and is idle is
  asked as well, else the next one of whom nothing is known.
- What surer peers have too is asked of one that has not proven itself so that it holds nobody up: `choice`.
- Peers share the work by the speed at which bytes come from them, and take over from one another: `sharing`.
- When peers of ours want a block of us too, we are all after the same thing: then rare blocks go first, and
  chance decides between equals, so that we fetch different ones and pass them on. Otherwise order counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from itertools import count
from random import Random

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.asking import Asking, Delivery
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry
from peershelf.protocols.bitswap.planner import Planner
from peershelf.protocols.bitswap.provider import Provider
from peershelf.protocols.bitswap.report import Answer, answers
from peershelf.protocols.bitswap.session import Session
from peershelf.protocols.bitswap.want import SessionId
from peershelf.protocols.transport import PeerId


class Verdict(Enum):
    """What to make of a block, once its bytes are hashed."""

    WANTED = "wanted"
    DUPLICATE = "duplicate"
    """It was asked for, and is here already or wanted no longer."""
    UNREQUESTED = "unrequested"


class Requester:
    """All wants of this node. Times are seconds on any clock that only goes forward.

    After any number of inputs, call decide(); then send what peers_to_tell() and take_wants() give.
    """

    def __init__(self, limits: BitswapLimits, *, random: Random, in_demand: Callable[[Cid], bool]) -> None:
        self._limits = limits
        self._ids = count(1)
        self._asking = Asking(limits)
        self._planner = Planner(self._asking, limits, random, in_demand)

    # What we want.

    def open(self) -> SessionId:
        """Start a session."""
        session_id = SessionId(next(self._ids))
        self._asking.sessions[session_id] = Session(self._limits)
        return session_id

    def close(self, session_id: SessionId, now: float) -> None:
        """End a session. Wants that no other session shares are withdrawn."""
        self._asking.close(session_id, now)

    def want(self, session_id: SessionId, cids: Iterable[Cid]) -> None:
        """Want blocks, in this order, after those that the session wants already."""
        self._asking.sessions[session_id].add(cids)

    def consumed(self, session_id: SessionId, size: int) -> bool:
        """The session's consumer has taken `size` bytes of blocks. Returns whether it was held up by that."""
        session = self._asking.sessions[session_id]
        was_full = session.is_full
        session.undelivered -= size
        if was_full:
            self._asking.hungry.update(self._asking.providers)
        return was_full

    def active(self, session_id: SessionId) -> list[Cid]:
        """The wants of a session that peers know of, in order."""
        return list(self._asking.sessions[session_id].active)

    def wanted(self) -> list[Cid]:
        """Everything that peers are being asked for."""
        return [want.cid for want in self._asking.wants]

    def wants_block(self, multihash: bytes) -> bool:
        """Whether a block with this multihash is wanted."""
        return multihash in self._asking.wants.multihashes

    def answers(self, cid: Cid) -> Mapping[PeerId, Answer]:
        """How the peers stand toward one want; empty if it is none."""
        want = self._asking.wants.get(cid)
        return {} if want is None else answers(want, self._asking.providers.values())

    # Who is there.

    def peer_connected(self, peer: PeerId, now: float) -> None:
        """There is somebody new to ask."""
        providers = self._asking.providers
        if peer in providers:
            return
        # Whoever was alone so far has been told of nothing but what was asked of it.
        unbriefed = dict(providers) if len(providers) == 1 else {}
        providers[peer] = unbriefed[peer] = Provider(peer, self._limits, now)
        self._asking.unbriefed.update(unbriefed)
        self._asking.hungry.add(peer)

    def peer_disconnected(self, peer: PeerId) -> None:
        """A peer is gone, or of no more use: what was asked of it is asked elsewhere."""
        self._asking.remove_provider(peer)

    def stream_lost(self, peer: PeerId) -> None:
        """What we told a peer may not have arrived: it will be told everything again."""
        provider = self._provider(peer)
        if provider is not None:
            provider.outbox.start_over()

    # What they say.

    def heard(self, peer: PeerId, now: float, size: int = 0) -> None:
        """Some bytes came from a peer: it is not silent."""
        provider = self._provider(peer)
        if provider is not None:
            provider.progress.heard(size, now)

    def talked(self, peer: PeerId, size: int) -> None:
        """A message of so many bytes was without blocks."""
        provider = self._provider(peer)
        if provider is not None:
            provider.progress.talked(size)

    def took_in(self, peer: PeerId, blocks: int) -> bool:
        """A message with this many blocks is complete; each is checked() once it is dealt with.

        Returns whether it is time to ask the peer for more.
        """
        provider = self._provider(peer)
        if provider is None:
            return False
        provider.took_in(blocks)
        if provider.has_much_room:
            self._asking.hungry.add(peer)
        return provider.has_much_room

    def checked(self, peer: PeerId) -> None:
        """One block of those taken in has been dealt with."""
        provider = self._provider(peer)
        if provider is not None and provider.unchecked:
            provider.unchecked -= 1

    def presences(self, peer: PeerId, presences: Sequence[Presence]) -> None:
        """A peer says what it has and what not."""
        provider = self._provider(peer)
        if provider is None:
            return
        for presence in presences:
            want = self._asking.wants.get(presence.cid)
            if want is not None and presence.have:
                self._asking.has(want, provider)
            elif want is not None:
                self._asking.has_not(want, provider)

    def listens_to(self, peer: PeerId) -> bool:
        """Whether the peer was asked for anything lately, so that what it sends is worth hashing."""
        provider = self._provider(peer)
        return provider is not None and bool(provider.outbox.told_lately)

    def expected(self, peer: PeerId) -> frozenset[bytes]:
        """Multihashes of the wanted blocks that the peer was asked for, or about."""
        provider = self._provider(peer)
        if provider is None:
            return frozenset()
        return frozenset(self._asking.wants.multihashes & provider.outbox.told_lately)

    def block_received(
        self, peer: PeerId, multihash: bytes, size: int, now: float
    ) -> tuple[Verdict, list[Delivery]]:
        """A block of `size` bytes that hash to `multihash` came from a peer. Says who gets it."""
        provider = self._provider(peer)
        if provider is None or multihash not in provider.outbox.told_lately:
            return Verdict.UNREQUESTED, []
        wants = self._asking.wants.answered_by(multihash)
        if not wants:
            return self.block_not_kept(peer, multihash), []
        for want in wants:
            provider.showed(want.known_since)
            provider.delivered(want.cid, size, now)
            for session_id in want.sessions:
                self._asking.sessions[session_id].served(peer)
        if provider.has_much_room:
            self._asking.hungry.add(peer)
        return Verdict.WANTED, self._asking.settle(wants, size, now)

    def block_not_kept(self, peer: PeerId, multihash: bytes) -> Verdict:
        """A block came from a peer that nobody wanted then; who wants it since has to ask anew.

        The peer has forgotten the want that it was told of, and a new one would not differ from it.
        """
        provider = self._provider(peer)
        if provider is None or multihash not in provider.outbox.told_lately:
            return Verdict.UNREQUESTED
        provider.outbox.crossed(multihash)
        for want in self._asking.wants.answered_by(multihash):
            provider.outbox.repeat(want.cid)
        if provider.has_much_room:
            self._asking.hungry.add(peer)
        return Verdict.DUPLICATE

    def useless(self, peer: PeerId, multihash: bytes | None, size: int, now: float) -> None:
        """A block of `size` bytes came from a peer for which nobody waits, whatever else it is."""
        provider = self._provider(peer)
        if provider is not None:
            provider.progress.useless(multihash, size, now)

    def block_found(self, multihash: bytes, size: int, now: float) -> list[Delivery]:
        """A block turned up in our own store. Says who gets it."""
        return self._asking.settle(self._asking.wants.answered_by(multihash), size, now)

    def bad_block(self, peer: PeerId, now: float) -> None:
        """A peer sent bytes that are nothing we asked it for.

        Where one block alone is on order, that is the one it failed to send, and it is not asked for it
        again. Where there are several nobody can tell, so others are asked for all of them, and from now on
        one at a time is asked of this peer. A peer that goes on like this is asked nothing more.
        """
        provider = self._provider(peer)
        if provider is None:
            return
        provider.bad_blocks += 1
        ordered = [want for cid in provider.asked if (want := self._asking.wants.get(cid)) is not None]
        for want in ordered:
            if len(ordered) == 1 or provider.is_hopeless:
                self._asking.bar(want, provider)
            else:
                self._planner.overdue(want, provider, now)
        if provider.is_hopeless:
            self.peer_disconnected(peer)

    # Time.

    @property
    def next_deadline(self) -> float:
        """When to call tick() next; infinity if never."""
        return self._planner.next_deadline

    def tick(self, now: float) -> None:
        """Notice what has become overdue."""
        self._planner.tick(now)

    # What follows.

    def decide(self, now: float) -> None:
        """Ask whoever can be asked for what is wanted."""
        self._planner.decide(now)

    def take_activated(self) -> list[Cid]:
        """The wants that peers are told of since the last call; there may be many more that wait."""
        activated, self._asking.activated = self._asking.activated, []
        return activated

    def peers_to_tell(self) -> list[PeerId]:
        """Peers for whom take_wants() has something."""
        return [provider.peer for provider in self._asking.providers.values() if provider.outbox.has_changes]

    def take_wants(self, peer: PeerId, most: int) -> tuple[tuple[WantEntry, ...], bool]:
        """Return up to `most` lines to tell a peer now, and whether they replace all told before."""
        provider = self._provider(peer)
        return ((), False) if provider is None else provider.outbox.take(most)

    def _provider(self, peer: PeerId) -> Provider | None:
        return self._asking.providers.get(peer)
