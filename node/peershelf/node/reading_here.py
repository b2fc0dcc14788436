"""Files that are all here, read without the node: a command's shortest way to its output.

Importing trio and the node takes longer than printing a small file, and a quarter as long as 1 GiB takes.
This walks files by the same plan as the node does, and reads blocks through the same function. Whatever is
out of the ordinary it leaves alone: then the caller lets the node go on behind the last byte that was
written, to ask peers for it or to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.blockstore.unixfs.sequence import FileSequence
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.read_ahead import READ_AHEAD, STEPS_OF_STORE, gathered, in_steps
from peershelf.node.reader_threads import ReaderThreads
from peershelf.node.store_reading import read_batch

Write = Callable[[bytes | memoryview], object]


def copy_files(
    store: Blockstore, references: Sequence[str], span: Span, write: Write, on_size: Callable[[int], object]
) -> bool:
    """Write what `span` says of files, in order, as long as every block is in the store and sound.

    `on_size` is told first how long the first file is. Returns whether all was written; if not, only the node
    can tell what comes next. Raises what `write` and `on_size` raise.
    """
    read = partial(read_batch, store, Denylists())
    try:
        with closing(ReaderThreads(read)) as readers:
            return _copy(readers, FileSequence(references, span), write, on_size)
    except BlockstoreError:
        return False


def _copy(
    readers: ReaderThreads, sequence: FileSequence, write: Write, on_size: Callable[[int], object]
) -> bool:
    """As copy_files(). Raises BlockstoreError for a file that cannot be read, and for a store that fails."""
    done = 0
    is_sized = False
    while True:
        readers.want(sequence.wants(in_steps(READ_AHEAD, done, STEPS_OF_STORE)))
        if sequence.size is not None and not is_sized:
            is_sized = True
            on_size(sequence.size)
        pieces = sequence.read()
        for piece in gathered(pieces):
            write(piece)
            done += len(piece)
        if sequence.done:
            return True
        if not pieces and not _receive(readers, sequence):
            return False


def _receive(readers: ReaderThreads, sequence: FileSequence) -> bool:
    """Take what was read; returns whether all of it was there."""
    batch = readers.receive()
    for block in batch.blocks:
        sequence.receive(block)
    return not batch.absent and not batch.refused
