"""Everything that this layer can raise.

One family, so that a caller who does not care which it was can write `except BlockstoreError`.
Messages are one line, fit for a user, and never carry raw text from a stranger.
"""

from __future__ import annotations


def quoted(text: str, limit: int = 80) -> str:
    """Return somebody's text as error messages show it: printable ASCII, in quotes and not too long."""
    return ascii(text if len(text) <= limit else text[: limit - 3] + "...")


class BlockstoreError(Exception):
    """Base of every error of the blockstore layer."""


class InvalidCid(BlockstoreError, ValueError):
    """Text or bytes that are not a CID that we accept."""


class InvalidPath(BlockstoreError, ValueError):
    """Not a CID followed by a path."""


class UnsupportedHash(BlockstoreError, ValueError):
    """A hash function that is unknown, or too weak to be trusted with content."""


class UnsupportedCodec(BlockstoreError, ValueError):
    """A content codec that is unknown here."""


class InvalidImportOption(BlockstoreError, ValueError):
    """A way to import a file that cannot be, such as a chunk larger than a block."""


class HashMismatch(BlockstoreError):
    """Bytes that do not hash to the CID that they came under."""


class BlockTooLarge(BlockstoreError, ValueError):
    """A block over the network's limit (2 MiB)."""


class MalformedBlock(BlockstoreError):
    """A block whose bytes hash right but are not what its codec says."""


class NotAFile(BlockstoreError):
    """The CID leads to something that has no bytes to print, such as a directory."""


class NotUnixfs(BlockstoreError):
    """The CID leads to something that is neither a file nor a directory nor a symbolic link."""


class UnsafeEntry(BlockstoreError):
    """A directory has an entry that no file system may be given, such as one named `..`."""


class PathNotFound(BlockstoreError):
    """A path names a link that its directory does not have."""


class BlockNotFound(BlockstoreError):
    """The store does not hold the block."""


class StoreError(BlockstoreError):
    """The store itself failed: disk full, no permission, damaged beyond repair."""


class StoreFull(StoreError):
    """No space left on the device; nothing that was acknowledged is lost."""


class StoreLocked(StoreError):
    """Another process, or another part of this one, has the directory open; the message says which."""


class StoreClosed(StoreError):
    """The store was used after close()."""


class CorruptBlock(StoreError):
    """The store holds the block, but its bytes no longer hash to its key."""


class AlreadyCollecting(StoreError):
    """A garbage collection was asked for while one was under way."""


class PinsLost(StoreError):
    """Nobody knows what is pinned, so that anything might be garbage."""


class BrokenPin(BlockstoreError):
    """A pinned DAG is not whole here, so that what it needs cannot be known."""


class MalformedCar(BlockstoreError):
    """An archive that is no CAR, or not whole."""
