"""What work on the messages of one protocol may take of this node's time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Bounds of a peer and of all together: parts of the thread's time, 0 to 1, or else seconds."""

    share: float
    """What a peer's messages may take in the long run."""
    ahead: float = 0.1
    """Seconds of such work that a peer may cause at once."""
    share_all: float
    """The same for all peers together; while they want more, who has cost least lately goes first."""
    ahead_all: float = 0.1
    """Seconds of work that all may cause at once."""
    light: float
    """Part of the time below which a peer need not wait its turn, unless such take too much together."""
    turn: float = 0.001
    """Seconds of work on a message until it is asked again whose turn it is."""
    remembered: float = 1.0
    """Seconds after which what a peer has cost counts half when it is asked who has cost least."""
    broken: float = 0.02
    """Seconds that a peer is charged with for breaking the protocol."""
