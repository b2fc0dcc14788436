"""A repo opened by a command that runs no node, where that is all that a node would do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.pack import PackStore
from peershelf.node.config import Config
from peershelf.node.denylists.places import directories, find_files
from peershelf.node.errors import NodeError
from peershelf.node.opening import opened_store
from peershelf.node.repo import load_settings


@dataclass(frozen=True, slots=True)
class OpenedHere:
    """A repo that this process has for itself. No denylist is in force."""

    store: PackStore
    config: Config


def open_here(repo: Path, stack: ExitStack) -> OpenedHere | None:
    """Have the repo and its store for this process, until `stack` ends; None where that takes the node.

    That is so where opening fails, since the node can tell why and wait for others, and where there are
    denylists, since it reads them, and tells what it cannot read.
    """
    unreadable: list[str] = []
    try:
        config = load_settings(repo)
        lists = directories(repo, config.strings("Denylists.Directories"))
        if find_files(lists, lambda path, error: unreadable.append(path)) or unreadable:
            return None
        return OpenedHere(stack.enter_context(opened_store(repo)), config)
    except (BlockstoreError, NodeError, OSError):
        return None


def has_key(repo: Path) -> bool:
    """Nothing here needs the identity, but a repo that has lost it is one of which the node says so."""
    return (repo / "identity.key").exists()
