"""The rules of one file, without I/O but for the lines that it reads.

A rule that stands below another one wins over it, whatever forms the two have.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from peershelf.blockstore import multihash
from peershelf.node.denylists.errors import MalformedRule
from peershelf.node.denylists.grammar import Kind, Rule, parse_line
from peershelf.node.denylists.header import MAX_HEADER, Header, is_end, parse_header
from peershelf.node.denylists.line_index import LineIndex
from peershelf.node.denylists.subject import Subject

MAX_LINE = 2 << 20
"""Bytes of a line with its end."""

Report = Callable[[int, str], object]
"""Is told the number of a line that is no rule, and why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule that decides about something."""

    is_blocked: bool
    line: int
    hints: str


@dataclass(frozen=True, slots=True)
class _PathRule:
    path: str
    is_prefix: bool
    mark: int

    def matches(self, path: str) -> bool:
        return path.startswith(self.path) if self.is_prefix else path == self.path


class Denylist:
    """Rules by what they are about. A mark is twice a line's number, and one more if the line allows."""

    def __init__(self, header: Header | None = None) -> None:
        self.header = header or Header()
        self.rules = 0
        self.malformed = 0
        """Lines that were passed over."""
        self._content = LineIndex()
        self._hashed = LineIndex()
        self._functions: dict[int, None] = {}
        self._paths: dict[tuple[Kind, bytes], list[_PathRule]] = {}
        self._hints: dict[int, str] = {}

    def add(self, rule: Rule, line: int) -> None:
        """Take the rule of a line, which is below all before it."""
        mark = line << 1 | rule.allows
        self.rules += 1
        if rule.hints:
            self._hints[line] = rule.hints
        if rule.kind is Kind.HASHED:
            self._hashed.add(rule.key, mark)
            self._functions[_function(rule.key)] = None
        elif rule.kind is Kind.CONTENT and not rule.path and not rule.is_prefix:
            self._content.add(rule.key, mark)
        else:
            paths = self._paths.setdefault((rule.kind, rule.key), [])
            paths.append(_PathRule(rule.path, rule.is_prefix, mark))

    def seal(self) -> None:
        """All rules are there."""
        self._content.seal()
        self._hashed.seal()

    def judge(self, subject: Subject) -> Verdict | None:
        """Return what the last rule that matches says; None where none does."""
        mark = max(self._marks(subject), default=0)
        if not mark:
            return None
        line = mark >> 1
        return Verdict(not mark & 1, line, self._hints_of(line))

    def _marks(self, subject: Subject) -> Iterator[int]:
        if subject.kind is Kind.CONTENT and not subject.path:
            yield self._content.last(subject.key)
        for rule in self._paths.get((subject.kind, subject.key), ()):
            if rule.matches(subject.path):
                yield rule.mark
        for code in self._functions:
            for key in subject.hashes(code):
                yield self._hashed.last(key)

    def _hints_of(self, line: int) -> str:
        own = self._hints.get(line, "").split()
        named = {hint.replace("=", ":", 1).partition(":")[0] for hint in own}
        common = [f"{key}={value}" for key, value in self.header.hints.items() if key not in named]
        return " ".join(own + common)


def read(file: BinaryIO, report: Report = lambda line, reason: None) -> Denylist:
    """Read a whole list; lines that are no rules are reported and passed over.

    Raises DenylistRejected for a header that makes the whole of it unusable, OSError.
    """
    lines = _lines(file)
    header, first, rules = _split_header(lines)
    denylist = Denylist(header)
    for number, line in enumerate(rules, first):
        try:
            rule = parse_line(line) if line is not None else _refuse_long()
        except MalformedRule as error:
            denylist.malformed += 1
            report(number, str(error))
        else:
            if rule is not None:
                denylist.add(rule, number)
    denylist.seal()
    return denylist


def _split_header(lines: Iterator[bytes | None]) -> tuple[Header | None, int, Iterable[bytes | None]]:
    """The header, if there is one; the number of the first line of the rules, and they."""
    above: list[bytes | None] = []
    size = 0
    for line in lines:
        above.append(line)
        size += MAX_HEADER if line is None else len(line)
        if size > MAX_HEADER:
            break
        if line is not None and is_end(line):
            return parse_header(one for one in above[:-1] if one is not None), len(above) + 1, lines
    return None, 1, itertools.chain(above, lines)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file; None for one that is too long."""
    while line := file.readline(MAX_LINE):
        if len(line) < MAX_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _refuse_long() -> Rule | None:
    raise MalformedRule("the line is longer than 2 MiB")


def _function(mh: bytes) -> int:
    return mh[0] if mh[0] < 0x80 else multihash.split(mh)[0]
