"""What is added to a repo by a command that runs no node."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from peershelf.blockstore.pins import Pins
from peershelf.node.additions import Additions
from peershelf.node.opening_here import OpenedHere
from peershelf.node.providing.announcer import announcer_for


def additions_here(repo: Path, opened: OpenedHere, pins: Pins, stack: ExitStack) -> Additions:
    """Add to a repo, until `stack` ends, and note what is to be announced."""
    announcer = announcer_for(repo, opened.config)
    if announcer is not None:
        stack.callback(announcer.close)
    return Additions(opened.store, pins, _nothing_is_denied, announcer)


def _nothing_is_denied(cids: object) -> None:
    """A repo with denylists is left to the node."""
