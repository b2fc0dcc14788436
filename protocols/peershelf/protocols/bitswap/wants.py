"""Everything that this node wants, by CID and by multihash."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from itertools import count

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.want import SessionId, Want


class Wants:
    """The wants of all sessions, each CID once. A block answers every CID that carries its multihash."""

    def __init__(self) -> None:
        self._by_cid: dict[Cid, Want] = {}
        self._by_multihash: dict[bytes, dict[Cid, Want]] = {}
        self._serials = count()

    def __len__(self) -> int:
        return len(self._by_cid)

    def __iter__(self) -> Iterator[Want]:
        return iter(list(self._by_cid.values()))

    def get(self, cid: Cid) -> Want | None:
        """Return the want for a CID, None if it is not wanted."""
        return self._by_cid.get(cid)

    def answered_by(self, multihash: bytes) -> list[Want]:
        """The wants that a block with this multihash settles."""
        return list(self._by_multihash.get(multihash, {}).values())

    @property
    def multihashes(self) -> KeysView[bytes]:
        """Of every block that is wanted."""
        return self._by_multihash.keys()

    def add(self, cid: Cid, session: SessionId) -> Want:
        """Want a CID for a session, on top of others that may want it."""
        want = self._by_cid.get(cid)
        if want is None:
            want = Want(cid, next(self._serials))
            self._by_cid[cid] = want
            self._by_multihash.setdefault(cid.multihash, {})[cid] = want
        want.sessions[session] = None
        return want

    def remove(self, want: Want) -> None:
        """Nobody waits for a want any more."""
        del self._by_cid[want.cid]
        same_block = self._by_multihash[want.cid.multihash]
        del same_block[want.cid]
        if not same_block:
            del self._by_multihash[want.cid.multihash]
