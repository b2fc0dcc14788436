"""A repo that a command opens by itself; a node may go on with its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from peershelf.cli.failing import Failing
from peershelf.node.observe import later
from peershelf.node.opening_here import OpenedHere, open_here


@contextmanager
def opened_here(repo: str) -> Iterator[OpenedHere | None]:
    """The repo, if it can be opened and read without a node. Raises CliError if closing it fails."""
    later.configure("warning")
    with Failing(), ExitStack() as stack:
        yield open_here(Path(repo), stack)
