"""All lists that are in force: loaded, asked, and loaded again when they change.

Lists are read in the thread that calls reload(), and take effect all at once. What cannot be read stays in
force as it was. Everything else may be called from any thread, and without a rule costs one look at a flag.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, Cid
from peershelf.blockstore.errors import InvalidCid, InvalidPath
from peershelf.blockstore.path import parse_reference
from peershelf.node.denylists.places import Signature, find_files
from peershelf.node.observe import later

if TYPE_CHECKING:
    from peershelf.node.denylists.denylist import Denylist, Verdict
    from peershelf.node.denylists.errors import ContentBlocked
    from peershelf.node.denylists.subject import Subject

log = later.Logger(__name__)

_CODECS = (DAG_PB, RAW, DAG_CBOR, DAG_JSON)
"""Under which a stored block may be known, where only its multihash is."""
_REMEMBERED = 16_384
_LOGGED_LINES = 20
"""Malformed lines of one file that are logged one by one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file, and what is in force of it."""

    path: str
    signature: Signature
    denylist: Denylist | None
    """What was read last; None if that never worked."""
    time: float
    """When that was, in seconds since 1970."""
    error: str = ""
    """Why the file as it is now cannot be used."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the lists say of something."""

    path: str
    """The file that decides."""
    verdict: Verdict

    def __str__(self) -> str:
        hints = f" ({self.verdict.hints})" if self.verdict.hints else ""
        return f"{_escaped(self.path)}, line {self.verdict.line}{_escaped(hints)}"


class _InForce:
    """What holds at one moment, so that a verdict of before a change is never taken for one of after it."""

    def __init__(self, loaded: tuple[Loaded, ...]) -> None:
        self.loaded = loaded
        self.is_active = any(one.denylist is not None and one.denylist.rules for one in loaded)
        self.harmless: set[Cid] = set()
        """Some that were found not to be blocked: serving asks twice for each block."""


class Denylists:
    """The lists in some directories; reload() reads them, first and whenever they may have changed."""

    def __init__(self, directories: Sequence[str] = ()) -> None:
        self._directories = directories
        self._unreadable: set[str] = set()
        self._in_force = _InForce(())
        self.is_active = False
        """Whether there is any rule."""

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """The files in the order in which they count: the last that says anything decides."""
        return self._in_force.loaded

    def reload(self) -> bool:
        """Read what is new or changed, forget what is gone; returns whether there was any. Blocking."""
        found = find_files(self._directories, self._tell_of_directory)
        if found == {one.path: one.signature for one in self.loaded}:
            return False
        known = {one.path: one for one in self.loaded}
        loaded = tuple(_load(path, signature, known.get(path)) for path, signature in found.items())
        for path in known.keys() - found.keys():
            log.info("denylist_gone", file=path)
        self._in_force = _InForce(loaded)
        self.is_active = self._in_force.is_active
        return True

    def decide(self, subject: Subject) -> Decision | None:
        """Find the rule that has the last word on something; None where no rule matches."""
        return _decide(self._in_force, subject)

    def refusal(self, cid: Cid, names: Sequence[str] = ()) -> ContentBlocked | None:
        """The error for a CID, or a path below one, that is blocked; None where it is not."""
        in_force = self._in_force
        if not in_force.is_active or (not names and cid in in_force.harmless):
            return None
        from peershelf.node.denylists.errors import ContentBlocked
        from peershelf.node.denylists.subject import content

        subject = content(cid, names)
        decision = _decide(in_force, subject)
        if decision is not None and decision.verdict.is_blocked:
            return ContentBlocked(f"{_escaped(subject.shown)} is blocked by {decision}")
        if not names:
            if len(in_force.harmless) >= _REMEMBERED:
                in_force.harmless.clear()
            in_force.harmless.add(cid)
        return None

    def refusals(self, cids: Iterable[Cid]) -> Mapping[Cid, ContentBlocked]:
        """Those of some blocks that are blocked, with the errors to say so."""
        if not self.is_active:
            return {}
        return {cid: error for cid in cids if (error := self.refusal(cid)) is not None}

    def check(self, references: Iterable[Cid | str]) -> None:
        """Raise ContentBlocked if one of these is blocked: CIDs, or text such as CID/path.

        Text that is no reference is for others to complain about.
        """
        for reference in references if self.is_active else ():
            try:
                text = reference.removeprefix("/ipld/") if isinstance(reference, str) else ""
                cid, names = parse_reference(text) if isinstance(reference, str) else (reference, ())
            except (InvalidCid, InvalidPath):
                continue
            if (error := self.refusal(cid, names)) is not None:
                raise error

    def blocks_key(self, multihash: bytes) -> bool:
        """Whether a block is blocked under any codec that it may have."""
        return self.is_active and any(self.refusal(Cid(1, codec, multihash)) for codec in _CODECS)

    def _tell_of_directory(self, path: str, error: OSError) -> None:
        if path not in self._unreadable:
            self._unreadable.add(path)
            log.warning("denylists_unreadable", directory=path, reason=error.strerror)


def _decide(in_force: _InForce, subject: Subject) -> Decision | None:
    for one in reversed(in_force.loaded):
        verdict = one.denylist.judge(subject) if one.denylist is not None else None
        if verdict is not None:
            return Decision(one.path, verdict)
    return None


def _escaped(text: str) -> str:
    return ascii(text)[1:-1]


def _load(path: str, signature: Signature, known: Loaded | None) -> Loaded:
    """Read a file, unless it is known as it is. What cannot be read is in force as it was before."""
    if known is not None and known.signature == signature:
        return known
    from peershelf.node.denylists import denylist
    from peershelf.node.denylists.errors import DenylistRejected

    skipped = _Skipped(path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            read = denylist.read(file, skipped.report)
    except (DenylistRejected, OSError) as error:
        reason = str(error) if isinstance(error, DenylistRejected) else error.strerror or "unreadable"
        log.error("denylist_unusable", file=path, reason=reason)
        before = partial(Loaded, path, signature, error=reason)
        return before(None, time.time()) if known is None else before(known.denylist, known.time)
    skipped.end()
    log.info("denylist_loaded", file=path, rules=read.rules)
    return Loaded(path, signature, read, time.time())


class _Skipped:
    """Logs that lines are no rules: one warning for a file, and what is wrong with the first ones."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._first = 0
        self._count = 0

    def report(self, line: int, reason: str) -> None:
        self._first = self._first or line
        self._count += 1
        if self._count <= _LOGGED_LINES:
            log.info("denylist_line_skipped", file=self._path, line=line, reason=reason)

    def end(self) -> None:
        if self._count:
            log.warning("denylist_lines_skipped", file=self._path, lines=self._count, first=self._first)
