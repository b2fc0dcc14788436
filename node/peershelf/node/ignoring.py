"""Rules that say which files of a tree are left out, as .gitignore files have them (gitignore(5)).

pathspec makes regular expressions of the rules. They also match what is below a directory that a rule names,
for those who only have a list of files. A walk comes to the directory first and asks about each path alone,
as git does, so here a rule has to match the path to its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from peershelf.node.errors import UsageError

if TYPE_CHECKING:
    from pathspec.pattern import RegexPattern

    from peershelf.node.walk import Ignored


def ignore_rules(lines: Iterable[str]) -> Ignored | None:
    """What `lines` leave out: a function of a path below the tree's top, and of whether that is a directory.

    The last rule that matches counts, and what is in a directory that is left out cannot come back. None
    where there are no rules. Raises UsageError for a line that is no rule.
    """
    rules = [rule for line in lines if (rule := _rule(line)) is not None]
    rules.reverse()

    def is_ignored(path: str, is_directory: bool) -> bool:
        return next((rule.excludes for rule in rules if rule.matches(path, is_directory)), False)

    return is_ignored if rules else None


def _rule(line: str) -> _Rule | None:
    # Costs 20 ms, and few commands have rules.
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        pattern = GitIgnoreSpecPattern(line)
    except ValueError:
        raise UsageError(f"{line!a} is no rule of what to ignore: write it as in a .gitignore") from None
    return None if pattern.include is None else _Rule(line, pattern)


class _Rule:
    """One line."""

    def __init__(self, line: str, pattern: RegexPattern) -> None:
        body = _without_end(line).removeprefix("!")
        self.excludes = bool(pattern.include)
        self._pattern = pattern
        self._directories_only = body.endswith("/")
        body = body.rstrip("/")
        self._names_only = "/" not in body
        self._everything = _is_everything(body.lstrip("/"))
        self._all_below = body.endswith("/**")

    def matches(self, path: str, is_directory: bool) -> bool:
        if self._directories_only and not is_directory:
            return False
        if self._everything:
            return True
        text = path.rpartition("/")[2] if self._names_only else path
        if is_directory:
            text += "/"
        found = self._pattern.match_file(text)
        if found is None:
            return False
        reached: int = found.match.end()
        if self._all_below:
            return reached < len(text)
        return self._names_only or reached == len(text)


def _without_end(line: str) -> str:
    """The line without the blanks at its end, of which one behind a backslash stays."""
    stripped = line.rstrip()
    return f"{stripped} " if stripped.endswith("\\") and stripped != line else stripped


def _is_everything(body: str) -> bool:
    *first, last = body.split("/")
    return set(first) <= {"**"} and (last == "**" or (last == "*" and bool(first)))
