"""Trees in: directories with all that is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.profiles import Profile
from peershelf.node import importing
from peershelf.node.additions import hashed_tree
from peershelf.node.facade.files import FileAccess
from peershelf.node.ignoring import ignore_rules
from peershelf.node.planting import Planting
from peershelf.node.trees import OnAdded, Preserve, TreeBuilder
from peershelf.node.walk import Rules

if TYPE_CHECKING:
    from peershelf.node.walk import OnSkipped


class TreeAccess(FileAccess):
    """Adding trees."""

    async def add_tree(
        self,
        path: str | os.PathLike[str],
        *,
        profile: Profile | None = None,
        wrap: bool = False,
        hidden: bool = False,
        ignore: Iterable[str] = (),
        dereference: bool = False,
        preserve_mode: bool = False,
        preserve_mtime: bool = False,
        pin: bool = True,
        announce: bool = True,
        progress: importing.Progress | None = None,
        on_skipped: OnSkipped | None = None,
    ) -> Cid:
        """Store a directory with all that is in it; once its CID is returned, it survives a power loss.

        Names that begin with a dot are left out unless `hidden`, and so is what the lines of `ignore` say,
        rules as in a .gitignore of this directory. Symbolic links stay links; `dereference` takes what they
        point to. `wrap` puts the directory into one more. A file or link is added as that. `announce` is as
        in add(). `progress` is told the bytes done so far, and `on_skipped` the path and kind of what cannot
        be added, such as a socket; both from a worker thread. Raises OSError, which names what cannot be
        read, UsageError for a malformed rule, InvalidPath, StoreError.
        """
        rules = Rules(
            hidden=hidden,
            dereference=dereference,
            ignored=ignore_rules(ignore),
            on_skipped=on_skipped,
        )
        preserve = Preserve(preserve_mode, preserve_mtime)
        chosen = preserve.profile(profile or self.profile)
        with self.adding_tree(chosen, pin=pin, announce=announce) as tree:
            planting = Planting(tree, rules, preserve, progress)
            run = partial(planting.run, os.fspath(path), wrap=wrap)
            imported: Imported = await trio.to_thread.run_sync(run)
        return imported.cid

    def adding_tree(
        self,
        profile: Profile,
        *,
        pin: bool = True,
        announce: bool = True,
        only_hash: bool = False,
        on_added: OnAdded | None = None,
    ) -> AbstractContextManager[TreeBuilder]:
        """A tree to put entries into. Unless it is finished inside the block, nothing of it is kept."""
        if only_hash:
            return hashed_tree(profile, on_added)
        return self.additions.tree(profile, pin=pin, announce=announce, on_added=on_added)
