"""Reading one file after another as if they were one, without I/O: what comes next is asked for ahead.

Theory of operation. Each file is first on its way to its root: through the directories of its path, then the
root's own block, which tells the file's size. These blocks are asked for far ahead, many files at a time, so
that a thousand small files cost as many round trips as one large one. Reading a file can begin once all sizes
before it are known, for only then is it clear which of its bytes are wanted. From there on a FileReader plans
it, within a read-ahead that counts the bytes of all files together. An error keeps until everything before it
has been read.

Nobody knows how large a root is before it comes. So roots are asked for by the size of those that came last,
and one that is too much to hold is forgotten and asked for again when its turn comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.unixfs.exporter import FileReader
from peershelf.blockstore.unixfs.queued_file import QueuedFile, Span

MAX_FILES = 1024
"""Most files whose roots are asked for, or here, ahead of being read."""

_UNKNOWN_ROOT = 65_536
_SMOOTHING = 0.25


class FileSequence:
    """Plans the reading of files, one after another; used as a FileReader is.

    read() raises the error of the first file that cannot be read, after all that stands before it.
    """

    def __init__(self, references: Iterable[Cid | str], span: Span | None = None) -> None:
        """Read what `span` says of all the files together, by default everything."""
        self._sources = deque(references)
        self._span = span or Span()
        self._files: deque[QueuedFile] = deque()
        self._unread: deque[QueuedFile] = deque()
        """Files whose reading cannot begin yet."""
        self._reading: list[QueuedFile] = []
        """Files that need more blocks than their root."""
        self._seeking: deque[QueuedFile] = deque()
        """Files whose next block on the way to the root is not asked for."""
        self._asked: dict[Cid, set[QueuedFile]] = {}
        self._owed: list[tuple[QueuedFile, list[Cid]]] = []
        """What is to be asked for as soon as wants() is called."""
        self._roots_asked = 0
        self._usual_root: float = _UNKNOWN_ROOT
        self._held = 0
        self._most_held = 0
        self._planned = 0
        self._position = 0
        self.size: int | None = None
        """Bytes of the whole first file; None until its root is known."""

    @property
    def done(self) -> bool:
        """Whether read() has given out everything."""
        return not self._files and not self._sources

    def wants(self, budget_bytes: int) -> list[Cid]:
        """Return the blocks to get next, the most pressing first, each once until it is received.

        They begin within about `budget_bytes` after what was read, as far as can be known.
        """
        self._most_held = budget_bytes
        wanted: list[Cid] = []
        self._plan(budget_bytes, wanted)
        while self._pass_over_empty():
            self._plan(budget_bytes, wanted)
        return wanted

    def _plan(self, budget_bytes: int, wanted: list[Cid]) -> None:
        self._seek_roots(wanted)
        self._begin_reading()
        for file, cids in self._owed:
            self._ask(file, cids, wanted)
        self._owed.clear()
        for file in self._reading:
            self._read_on(file, budget_bytes - max(0, file.start - self._position), wanted)

    def _pass_over_empty(self) -> bool:
        """Be done with files of which nothing is left to read. Returns whether there were any."""
        passed = False
        while self._files and (reader := self._files[0].reader) is not None and reader.done:
            self._finish(self._files[0])
            passed = True
        return passed

    def receive(self, block: Block) -> None:
        """Take a block; one that was not asked for is passed over."""
        for file in self._asked.pop(block.cid, ()):
            if file.reader is not None:
                self._take(file, file.reader, block)
            else:
                self._take_root(file, block)
        self._begin_reading()

    def fail(self, cid: Cid, error: BlockstoreError) -> None:
        """A block that was asked for cannot be had."""
        for file in self._asked.pop(cid, ()):
            self._roots_asked -= file.reader is None
            file.error = file.error or error

    def read(self) -> list[bytes | memoryview]:
        """Return the bytes that are there, in order; an empty list if the next block is still missing."""
        pieces: list[bytes | memoryview] = []
        while self._files:
            file = self._files[0]
            reader = file.reader
            if reader is not None and file.error is None:
                pieces += reader.read()
            if file.error is not None and not pieces:
                raise file.error
            if reader is None or not reader.done or file.error is not None:
                break
            self._finish(file)
        self._position += sum(map(len, pieces))
        return pieces

    def _finish(self, file: QueuedFile) -> None:
        self._files.popleft()
        if file in self._reading:
            self._reading.remove(file)
        self._held -= 0 if file.root_block is None else len(file.root_block.data)

    def _seek_roots(self, wanted: list[Cid]) -> None:
        if self._unread and self._unread[0] in self._seeking:
            self._seeking.remove(self._unread[0])
            self._seeking.appendleft(self._unread[0])
        while self._seeking or (self._sources and len(self._files) < MAX_FILES):
            file = self._seeking[0] if self._seeking else None
            is_next = file is self._unread[0] if self._unread else True
            if not is_next and self._held + self._roots_asked * self._usual_root >= self._most_held:
                return
            if file is None:
                self._open(self._sources.popleft())
            else:
                self._seeking.popleft()
                assert file.wanted is not None
                self._roots_asked += 1
                self._ask(file, [file.wanted], wanted)

    def _open(self, reference: Cid | str) -> None:
        file = QueuedFile(reference)
        self._files.append(file)
        self._unread.append(file)
        if file.error is not None:
            self._sources.clear()
        elif file.wanted is not None:
            self._seeking.append(file)

    def _take_root(self, file: QueuedFile, block: Block) -> None:
        size = len(block.data)
        self._roots_asked -= 1
        self._usual_root = max(size, self._usual_root + _SMOOTHING * (size - self._usual_root))
        if file is not self._unread[0] and self._held + size > self._most_held:
            self._seeking.append(file)
            return
        file.attempt(partial(file.receive, block))
        if file.error is None and file.wanted is not None:
            self._seeking.appendleft(file)
        elif file.root_block is not None:
            self._held += size

    def _begin_reading(self) -> None:
        while self._unread and (root := self._unread[0].root_block) is not None:
            file = self._unread.popleft()
            file.attempt(partial(self._begin, file, root))
            if file.error is not None or self._span.length == 0:
                self._end_with(file)

    def _begin(self, file: QueuedFile, root: Block) -> None:
        reader = FileReader(root.cid, offset=self._span.offset, length=self._span.length)
        # Of a root that is spelled out in its CID, these are children already.
        self._owed.append((file, [cid for cid in reader.wants(0) if cid != root.cid]))
        reader.receive(root)
        assert reader.size is not None
        file.reader, file.start = reader, self._planned
        self._planned += self._span.within(reader.size)
        self._span = self._span.after(reader.size)
        if self.size is None:
            self.size = reader.size
        if not reader.has_all:
            self._reading.append(file)

    def _end_with(self, last: QueuedFile) -> None:
        """Nothing behind this file will be read."""
        dropped = set(self._unread)
        self._asked = {cid: kept for cid, files in self._asked.items() if (kept := set(files) - dropped)}
        for files in (self._sources, self._seeking, self._unread):
            files.clear()
        while self._files[-1] is not last:
            self._files.pop()

    def _read_on(self, file: QueuedFile, budget_bytes: int, wanted: list[Cid]) -> None:
        reader = file.reader
        if reader is None or (budget_bytes <= 0 and file is not self._files[0]):
            return
        file.attempt(lambda: self._ask(file, reader.wants(max(budget_bytes, 0)), wanted))

    def _take(self, file: QueuedFile, reader: FileReader, block: Block) -> None:
        file.attempt(partial(reader.receive, block))
        if reader.has_all and file in self._reading:
            self._reading.remove(file)

    def _ask(self, file: QueuedFile, cids: Iterable[Cid], wanted: list[Cid]) -> None:
        for cid in cids:
            waiting = self._asked.setdefault(cid, set())
            if not waiting:
                wanted.append(cid)
            waiting.add(file)
