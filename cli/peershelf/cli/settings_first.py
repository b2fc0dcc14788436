"""A backend that tells settings, identity and CIDs by itself, and leaves everything else to a node."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.failing import Failing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peershelf.cli.backend import OnRecord, Record
    from peershelf.cli.nodeless import MakeNode
    from peershelf.cli.sources import Source


class SettingsFirst(Nodeless):
    """As the repo's files are now; nothing is locked. `common` options go with every call."""

    def __init__(self, repo: str, common: Mapping[str, str], make_node: MakeNode) -> None:
        super().__init__(repo, make_node)
        self._common = common

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        with Importing():
            from pathlib import Path

            from peershelf.node import own_files
        with Failing():
            told = own_files.answer(Path(self._repo), name, *args)
        return super().unary(name, args, options) if told is None else told

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        asked = {**self._common, **options}
        if name == "add" and "timeout" not in asked:
            with Importing():
                from peershelf.cli.adding_here import hashes_here

            if hashes_here(self._repo, asked, on_record, sources):
                return
        super().records(name, on_record, args, options, sources)
