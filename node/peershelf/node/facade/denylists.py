"""What the operator's denylists say."""

from __future__ import annotations

import trio

from peershelf.blockstore.errors import InvalidPath, quoted
from peershelf.blockstore.path import parse_reference
from peershelf.node.denylists.denylists import Decision, Loaded
from peershelf.node.facade.core import Core

_NAMES = "/ipns/"


class DenylistAccess(Core):
    """Asking about content and names, whether they are here or not."""

    async def denylist_files(self) -> tuple[Loaded, ...]:
        """The files in force, in the order in which they count: the last that says anything decides."""
        await self._load_denylists()
        return self.denylists.loaded

    async def denylist_check(self, reference: str) -> Decision | None:
        """Find the rule that decides about CID, CID/path, /ipfs/CID/path or /ipns/NAME/path.

        None where there is none, so that it is not blocked. Raises InvalidCid, InvalidPath.
        """
        from peershelf.node.denylists.subject import content, name

        if reference.startswith(_NAMES):
            parts = [part for part in reference.removeprefix(_NAMES).split("/") if part]
            if not parts:
                raise InvalidPath(f"write /ipns/NAME or /ipns/NAME/path, not {quoted(reference)}")
            subject = name(parts[0], parts[1:])
        else:
            subject = content(*parse_reference(reference))
        await self._load_denylists()
        return await trio.to_thread.run_sync(self.denylists.decide, subject)

    async def _load_denylists(self) -> None:
        """A node that only reads has not needed them before."""
        if self._read_only:
            await trio.to_thread.run_sync(self.denylists.reload)
