"""A repo to add to without a node: as short a way as there is from files to a CID."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from peershelf.blockstore.unixfs.profiles import PROFILES, Profile
from peershelf.node.additions import Additions, hashed_tree
from peershelf.node.additions_here import additions_here
from peershelf.node.blocking import Blocking
from peershelf.node.config import Config
from peershelf.node.errors import NodeError
from peershelf.node.opening_here import has_key, open_here
from peershelf.node.opening_pins import opened_pins
from peershelf.node.repo import exists, load_settings
from peershelf.node.trees import OnAdded, TreeBuilder


class AdderHere:
    """Is an Adder, as Node is."""

    def __init__(self, config: Config, blocking: Blocking, additions: Additions | None) -> None:
        """Without `additions` everything is only hashed."""
        self.profile: Profile = PROFILES[config.text("Import.Profile")]
        self.blocking = blocking
        self._additions = additions

    def adding_tree(
        self, profile: Profile, *, pin: bool, announce: bool, only_hash: bool, on_added: OnAdded
    ) -> AbstractContextManager[TreeBuilder]:
        """A tree to put entries into. Unless it is finished inside the block, nothing of it is kept."""
        if self._additions is None or only_hash:
            return hashed_tree(profile, on_added)
        return self._additions.tree(profile, pin=pin, announce=announce, on_added=on_added)


def adder_here(repo: Path, blocking: Blocking, stack: ExitStack) -> AdderHere | None:
    """Have a repo to add to, until `stack` ends; None where that takes the node, as it does to make one.

    Raises StoreError.
    """
    opened = open_here(repo, stack) if has_key(repo) else None
    if opened is None:
        return None
    pins = stack.enter_context(opened_pins(repo, opened.store))
    return AdderHere(opened.config, blocking, additions_here(repo, opened, pins, stack))


def hasher_here(repo: Path, blocking: Blocking, stack: ExitStack) -> AdderHere | None:
    """What tells the CIDs that a repo would give; where there is none, by the default settings."""
    try:
        if not exists(repo):
            config = Config.load(repo / "config.toml")
        elif has_key(repo):
            config = load_settings(repo)
        else:
            return None
    except (NodeError, OSError):
        return None
    return AdderHere(config, blocking, None)
