"""A backend that tells settings, identity and CIDs by itself, and leaves everything else to a node."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.failing import Failing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peershelf.cli.backend import Record
    from peershelf.cli.nodeless import Add


class SettingsFirst(Nodeless):
    """As the repo's files are now; nothing is locked."""

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        with Importing():
            from pathlib import Path

            from peershelf.node import own_files
        with Failing():
            told = own_files.answer(Path(self._repo), name, *args)
        return super().unary(name, args, options) if told is None else told

    def _import_add(self) -> Add:
        from peershelf.cli.adding_here import hashes_here

        return hashes_here
