"""What is held of one address: public, private or not known, from what others say of it. No I/O.

That somebody said our nonce at the address is proof, whoever he is. That somebody could not reach it is only
his word: it takes several networks to believe it, and several times before a proven address is given up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from peershelf.protocols.transport import PeerId

ENOUGH = 3
"""Networks (/16, /32) whose servers must agree, if there are so many."""
RECHECK = 3_600.0
"""Seconds until a public address is asked about again."""
FIRST_PAUSE = 60.0
"""Seconds until an unproven one is, doubling up to RECHECK."""
DOUBT_PAUSE = 300.0
"""Seconds until a public one is, after others could not reach it."""
DOUBTS = 3
"""So many times in a row until it is private."""
LASTING = 3 * RECHECK
"""Seconds for which a proof is good where nobody can be asked."""
KEPT = 16
"""Answers that are kept for people."""


class Standing(Enum):
    """What is held of an address, in Kubo's words."""

    UNKNOWN = "Unknown"
    PUBLIC = "Public"
    PRIVATE = "Private"


class Outcome(Enum):
    """What came of asking one server."""

    REACHED = "reached"
    NOT_REACHED = "not reached"
    REFUSED = "refused to dial it"
    REJECTED = "has no time"
    UNPROVEN = "said that it is reached, without proof"
    WANTED_DATA = "wanted too much data first"
    SILENT = "did not answer"
    NONSENSE = "sent nonsense"
    LOST = "left, or does not serve"


VOTES = (Outcome.REACHED, Outcome.NOT_REACHED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One server's answer; `network` is the /16 or /32 that it is in."""

    peer: PeerId
    network: str
    outcome: Outcome
    when: float


class Round:
    """The servers that are asked at one time. Those of one network have one vote, the first that counts."""

    def __init__(self) -> None:
        self.asked: set[PeerId] = set()
        self._votes: dict[str, Outcome] = {}

    @property
    def voted(self) -> set[str]:
        """The networks that have voted."""
        return set(self._votes)

    @property
    def reached(self) -> int:
        """How many networks have reached us."""
        return list(self._votes.values()).count(Outcome.REACHED)

    def take(self, answer: Answer) -> None:
        """A server has answered."""
        if answer.outcome in VOTES:
            self._votes.setdefault(answer.network, answer.outcome)

    def verdict(self, *, over: bool) -> Standing | None:
        """What the round says by now; None if nothing. `over`: nobody is left to ask."""
        votes = Counter(self._votes.values())
        reached, missed = votes[Outcome.REACHED], votes[Outcome.NOT_REACHED]
        if reached >= ENOUGH:
            return Standing.PUBLIC
        if missed >= ENOUGH:
            return Standing.PRIVATE
        if over and reached > missed:
            return Standing.PUBLIC
        if over and missed > reached and missed >= 2:
            return Standing.PRIVATE
        return None


class Case:
    """One address. Times are seconds on any one clock."""

    def __init__(self, address: bytes, now: float) -> None:
        self.address = address
        self.standing = Standing.UNKNOWN
        self.due = now
        """When to ask about it."""
        self.answers: dict[PeerId, Answer] = {}
        """The last one of each server, the newest last."""
        self._pause = FIRST_PAUSE
        self._doubts = 0
        self._proven = now

    def take(self, answer: Answer) -> None:
        """Remember an answer."""
        self.answers.pop(answer.peer, None)
        self.answers[answer.peer] = answer
        while len(self.answers) > KEPT:
            del self.answers[next(iter(self.answers))]

    def may_ask(self, peer: PeerId, now: float) -> bool:
        """Whether a server might dial the address: some never do, for want of IPv6."""
        last = self.answers.get(peer)
        refused = last is not None and last.outcome in (Outcome.REFUSED, Outcome.WANTED_DATA)
        return last is None or not refused or now - last.when >= RECHECK

    def conclude(self, round_: Round, now: float) -> None:
        """A round is over: take its verdict, and say when the next one is due."""
        verdict = round_.verdict(over=True)
        if verdict is Standing.PUBLIC:
            self.standing, self._proven, self._doubts = Standing.PUBLIC, now, 0
            if round_.reached >= ENOUGH:
                self._pause = FIRST_PAUSE
                self.due = now + RECHECK
                return
        elif verdict is Standing.PRIVATE and self.standing is Standing.PUBLIC:
            self._doubts += 1
            if self._doubts < DOUBTS:
                self.due = now + DOUBT_PAUSE
                return
            self.standing, self._pause = Standing.PRIVATE, FIRST_PAUSE
        elif verdict is Standing.PRIVATE:
            self.standing = Standing.PRIVATE
        self.due = now + self._pause
        self._pause = min(2 * self._pause, RECHECK)

    def expire(self, now: float) -> None:
        """A proof does not last for ever."""
        if self.standing is Standing.PUBLIC and now - self._proven > LASTING:
            self.standing = Standing.UNKNOWN
