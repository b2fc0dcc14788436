"""What the operator's denylists say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peershelf.blockstore.errors import InvalidPath, quoted
from peershelf.blockstore.path import parse_reference

if TYPE_CHECKING:
    from peershelf.node.blocking import Blocking
    from peershelf.node.denylists.denylists import Decision, Denylists, Loaded

_NAMES = "/ipns/"


class DenylistAccess:
    """Asking about content and names, whether they are here or not."""

    if TYPE_CHECKING:
        blocking: Blocking
        denylists: Denylists
        _read_only: bool

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
        return await self.blocking.run(self.denylists.decide, subject)

    async def _load_denylists(self) -> None:
        """A node that only reads has not needed them before."""
        if self._read_only:
            await self.blocking.run(self.denylists.reload)
