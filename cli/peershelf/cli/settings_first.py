"""A backend that tells settings, identity, denylists and CIDs by itself, and leaves the rest to a node."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.failing import Failing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peershelf.cli.backend import OnRecord, Record
    from peershelf.cli.nodeless import Add
    from peershelf.cli.sources import Source

_OF_DENYLISTS = ("denylist/ls", "denylist/check")


class SettingsFirst(Nodeless):
    """As the repo's files are now; nothing is locked."""

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        asked = {**self._common, **options}
        if self._is_of_denylists(name, asked):
            answers: list[Record] = []
            self._ask_denylists(name, args, asked, answers.append)
            return answers[0]
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
        if self._is_of_denylists(name, asked):
            self._ask_denylists(name, args, asked, on_record)
        else:
            super().records(name, on_record, args, options, sources)

    def _is_of_denylists(self, name: str, asked: Mapping[str, str]) -> bool:
        return name in _OF_DENYLISTS and "timeout" not in asked

    def _ask_denylists(
        self, name: str, args: Sequence[str], asked: Mapping[str, str], on_record: OnRecord
    ) -> None:
        with Importing():
            from peershelf.cli.asking_denylists import ask_denylists
        with Failing():
            ask_denylists(self._repo, name, args, asked, on_record)

    def _import_add(self) -> Add:
        from peershelf.cli.adding_here import hashes_here

        return hashes_here
