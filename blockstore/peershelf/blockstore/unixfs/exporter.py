"""Reading a file back, without I/O: a planner that says which blocks to get and takes them in any order.

Theory of operation. Every block of a file is needed at a span: the offset where its bytes begin, and how many
there are. Spans not asked for yet wait in a heap by offset. wants() takes those that begin within the
read-ahead window, which moves with read(). receive() checks a block against the size that its parent claimed,
keeps its bytes under their offset and puts the spans of its children on the heap. read() gives out what is
there at the current offset. Spans that are empty or outside the range asked for are never taken up. Sizes
are claims: they steer and are checked, but nothing is allocated by them.

A hostile tree may be wide at every level. A node ahead of the reader that would make the heap too large is
forgotten and asked for again when the reader gets there, so the heap holds little more than one path's worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock, NotAFile
from peershelf.blockstore.unixfs import file_node
from peershelf.blockstore.unixfs.file_node import FileNode

MAX_DEPTH = 64
"""Most links on the way from the root to a leaf; a balanced tree of any real file has fewer than eight."""

MAX_AHEAD = 1024
"""Most blocks asked for or waiting to be read beyond the current one, for files of tiny blocks."""

_CROWDED = 1 << 17
_OVERFULL = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    offset: int
    depth: int
    cid: Cid
    size: int | None
    """As the parent claims; None for the root."""


class FileReader:
    """Plans the reading of one file or a range of it. After an error the reader is of no more use.

    Call wants(), get those blocks in any order and receive() each, take bytes with read(), until done.
    """

    def __init__(self, root: Cid, *, offset: int = 0, length: int | None = None) -> None:
        """Read `length` bytes from `offset` on, or less where the file ends. Raises NotAFile."""
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length are not negative")
        file_node.check_codec(root)
        self.size: int | None = None
        """Bytes of the whole file; None until the root is known."""
        self._start = self._position = offset
        self._length = length
        self._end = 0
        self._spans = [_Span(0, 0, root, None)]
        self._asked: dict[Cid, list[_Span]] = {}
        self._ahead = 0
        self._ready: dict[int, bytes | memoryview] = {}
        self._held_from: int | None = None

    @property
    def done(self) -> bool:
        """Whether read() has given out everything."""
        return self.size is not None and self._position >= self._end

    @property
    def has_all(self) -> bool:
        """Whether every block that is needed has been received."""
        return self.size is not None and not self._spans and not self._asked

    def wants(self, budget_bytes: int) -> list[Cid]:
        """Return the blocks to get next, in file order, each once until it is received.

        They begin within `budget_bytes` of file after what was read; the one to read next is always among
        them or asked for already. Raises as receive() does, for nodes that are spelled out in their CID.
        """
        wanted = []
        while self._spans and self._may_ask(self._spans[0], budget_bytes):
            span = heappop(self._spans)
            data = inline_bytes(span.cid)
            if data is not None:
                self._accept(span, self._decode(span, Block(span.cid, data)))
                continue
            waiting = self._asked.setdefault(span.cid, [])
            if not waiting:
                wanted.append(span.cid)
            waiting.append(span)
            self._ahead += 1
        return wanted

    def receive(self, block: Block) -> None:
        """Take a block; one that was not asked for is passed over.

        Raises MalformedBlock if it is not what its parent claimed, NotAFile if the root is not a file.
        """
        spans = self._asked.pop(block.cid, [])
        self._ahead -= len(spans)
        if spans:
            node = self._decode(spans[0], block)
            for span in spans:
                self._accept(span, node)

    def read(self) -> list[bytes | memoryview]:
        """Return the bytes that are there, in order; an empty list if the next block is still missing."""
        pieces = []
        while (piece := self._ready.pop(self._position, None)) is not None:
            pieces.append(piece)
            self._position += len(piece)
        return pieces

    def _may_ask(self, span: _Span, budget_bytes: int) -> bool:
        if span.offset <= self._position:
            return True
        if self._held_from is not None:
            if self._position < self._held_from:
                return False
            self._held_from = None
        near = span.offset < self._position + budget_bytes
        return near and self._ahead + len(self._ready) < MAX_AHEAD

    def _decode(self, span: _Span, block: Block) -> FileNode:
        try:
            return file_node.decode(block)
        except NotAFile as error:
            if span.size is None:
                raise
            raise MalformedBlock(f"malformed file: {error}") from None

    def _accept(self, span: _Span, node: FileNode) -> None:
        if span.size is None:
            self._begin(node.size)
        elif span.size != node.size:
            raise MalformedBlock(f"malformed file: {span.cid} is not as long as its parent says")
        if self._is_too_much(span, node):
            self._held_from = span.offset
            heappush(self._spans, span)
            return
        self._keep(span.offset, node.data)
        offset = span.offset + len(node.data)
        for cid, size in node.children:
            if size and offset < self._end and offset + size > self._start:
                heappush(self._spans, _Span(offset, span.depth + 1, cid, size))
            offset += size

    def _begin(self, size: int) -> None:
        self.size = size
        self._end = size if self._length is None else min(size, self._start + self._length)

    def _is_too_much(self, span: _Span, node: FileNode) -> bool:
        """Tell whether to come back to this node later. Raises MalformedBlock if that would not help."""
        if node.children and span.depth == MAX_DEPTH:
            raise MalformedBlock(f"malformed file: deeper than {MAX_DEPTH} levels")
        spans = len(self._spans) + len(node.children)
        if spans > _OVERFULL:
            raise MalformedBlock("malformed file: too many links on one path")
        return spans > _CROWDED and span.offset > self._position

    def _keep(self, offset: int, data: bytes) -> None:
        first = max(self._start - offset, 0)
        last = min(self._end - offset, len(data))
        if first < last:
            whole = first == 0 and last == len(data)
            self._ready[offset + first] = data if whole else memoryview(data)[first:last]
