"""What a denylist is asked about: content or a name, with the path below it, in all forms that rules take."""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.blockstore import bases, multihash
from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.node.denylists.grammar import Kind, name_key


class Subject:
    """Content or a name, and a path below it, which may be empty."""

    __slots__ = ("_hashes", "_legacy", "_modern", "key", "kind", "path", "shown")

    def __init__(self, kind: Kind, key: bytes, path: str, *, shown: str, legacy: str, modern: str) -> None:
        self.kind = kind
        self.key = key
        self.path = path
        self.shown = shown
        """As a path for people."""
        self._legacy = legacy
        self._modern = modern
        self._hashes: dict[int, tuple[bytes, ...]] = {}

    def hashes(self, code: int) -> tuple[bytes, ...]:
        """The multihashes, by one function, that double-hash rules for this have."""
        found = self._hashes.get(code)
        if found is None:
            # The old form was never hashed by anything but SHA2-256.
            texts = (self._modern, self._legacy) if code == multihash.SHA2_256 else (self._modern,)
            encoded = (text.encode("utf-8", "surrogateescape") for text in texts)
            found = self._hashes[code] = tuple(multihash.multihash(code, data) for data in encoded)
        return found


def content(cid: Cid, names: Sequence[str] = ()) -> Subject:
    """A path below a CID, or the CID itself."""
    path = "/".join(names)
    shown = str(cid)
    below = f"/{path}" if path else ""
    text = _base32(cid.codec, cid.multihash) if cid.version == 0 else shown
    modern = _base58(cid.multihash) + below
    return Subject(
        Kind.CONTENT,
        cid.multihash,
        path,
        shown=f"/ipfs/{shown}{below}",
        legacy=f"{text}/{path}",
        modern=modern,
    )


def name(text: str, names: Sequence[str] = ()) -> Subject:
    """A path below a name of /ipns/, or the name itself."""
    path = "/".join(names)
    below = f"/{path}" if path else ""
    key = name_key(text)
    shown = f"/ipns/{text}{below}"
    if key == text.lower().encode("utf-8", "surrogateescape"):
        return Subject(Kind.NAME, key, path, shown=shown, legacy=f"{text}/{path}", modern=shown)
    legacy = f"{_base32(_codec(text), key)}/{path}"
    return Subject(Kind.NAME, key, path, shown=shown, legacy=legacy, modern=_base58(key) + below)


def _codec(text: str) -> int:
    try:
        cid = Cid.parse(text)
    except InvalidCid:
        return LIBP2P_KEY
    return LIBP2P_KEY if cid.version == 0 else cid.codec


def _base32(codec: int, mh: bytes) -> str:
    return str(Cid(1, codec, mh))


def _base58(mh: bytes) -> str:
    return bases.encode_base58_with_zeros(mh)
