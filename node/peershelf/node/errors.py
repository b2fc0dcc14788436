"""What the node itself can raise. Module `describe` turns any of it into a line for users.

Imports nothing, so that the command line's fast path may import it.
"""

from __future__ import annotations


class NodeError(Exception):
    """Base of every error of the node layer. Its text is one line that says what to do."""


class UsageError(NodeError, ValueError):
    """The request itself is wrong: an unknown option, a value that does not parse, a missing argument."""


class LeftToNode(NodeError):
    """A command that runs no node cannot go on without one. Never shown to anybody."""


class ConfigError(NodeError, ValueError):
    """A configuration key or value that is not accepted."""


class IdentityError(NodeError):
    """The identity key is missing or unreadable."""


class RepoError(NodeError):
    """The repo cannot be used as it is."""


class RepoMissing(RepoError):
    """There is no repo at the path."""


class RepoExists(RepoError):
    """There is a repo at the path already."""


class StillPinned(NodeError):
    """A block that a pin needs was to be removed."""


class NotPinned(NodeError):
    """Something was to be unpinned that is not pinned by itself."""


class PinnedAlready(NodeError):
    """A pin is there already that keeps more than the one that was asked for."""


class NotOnline(NodeError):
    """The operation needs the network, and this node is not running it."""


class NotEntered(NodeError):
    """A Node was used outside of its `async with`."""

    def __init__(self) -> None:
        super().__init__("use a node inside of `async with Node(…) as node:`")


class NotUnderTrio(NodeError):
    """A Node was entered where trio does not run, such as under asyncio."""

    def __init__(self) -> None:
        super().__init__("a node runs under trio: start your program with `trio.run(main)`")


class NodeEnding(NodeError):
    """The node ended before the operation did, so what came of it is not whole."""

    def __init__(self) -> None:
        super().__init__("the node is ending, so this was broken off; run it again")


class NotConnected(NodeError):
    """There is no connection to the peer that an operation is about."""

    def __init__(self, peer: str) -> None:
        super().__init__(f"not connected to {peer}: use `node swarm connect` first")


class TimedOut(NodeError):
    """The operation's own deadline passed.

    `details` are lines for those who want to know what was tried meanwhile, and what came of each.
    """

    def __init__(self, text: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.details = details


class ServerError(NodeError):
    """The local API cannot be served at the address that was asked for."""


class CannotRead(NodeError):
    """A file that was handed over to be added cannot be read."""


class CannotWrite(NodeError):
    """What was to be written to disk by `get`, or to a command's output, cannot be, or must not."""
