"""What the backends have in common that answer by themselves what needs no node, and ask one for the rest.

trio and the node cost more than all the rest of such a command does.
"""

from __future__ import annotations

from abc import abstractmethod

from peershelf.cli.backend import NO_OPTIONS, Backend
from peershelf.cli.collector import Importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source

    MakeNode = Callable[[PackStore | None], Backend]
    Add = Callable[[str, Mapping[str, str], OnRecord, Iterable[Source]], bool]


class Nodeless(Backend):
    """The repo at `repo`; all but an add is left to a node here, and a subclass does what it can by itself.

    `common` options go with every call. `make_node` makes the backend that runs a node on the repo, or on its
    store where that is open already.
    """

    def __init__(self, repo: str, common: Mapping[str, str], make_node: MakeNode) -> None:
        self.description = f"the repo {repo} itself"
        self._repo = repo
        self._common = common
        self._make_node = make_node

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        return self._make_node(None).unary(name, args, options)

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        if not self._has_added(name, on_record, options, sources):
            self._make_node(None).records(name, on_record, args, options, sources)

    def _has_added(
        self, name: str, on_record: OnRecord, options: Mapping[str, str], sources: Iterable[Source]
    ) -> bool:
        """Whether this was an add, and is done."""
        asked = {**self._common, **options}
        if name != "add" or "timeout" in asked:
            return False
        with Importing():
            add = self._import_add()
        return add(self._repo, asked, on_record, sources)

    @abstractmethod
    def _import_add(self) -> Add:
        """What adds without a node, and returns False where that takes one."""

    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        self._make_node(None).stream(name, write, args, options, on_length, output)
