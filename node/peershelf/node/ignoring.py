"""Rules that say which files of a tree are left out, as .gitignore files have them (gitignore(5))."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from peershelf.node.errors import UsageError

if TYPE_CHECKING:
    from peershelf.node.walk import Ignored


def ignore_rules(lines: Iterable[str]) -> Ignored | None:
    """What `lines` leave out: a function of a path below the tree's top, and of whether that is a directory.

    The last rule that matches counts, and what is in a directory that is left out cannot come back. None
    where there are no lines. Raises UsageError for a line that is no rule.
    """
    given = list(lines)
    if not given:
        return None
    # Costs 20 ms, and few commands have rules.
    from pathspec import GitIgnoreSpec

    try:
        rules = GitIgnoreSpec.from_lines(given, backend="simple")
    except ValueError as error:
        raise UsageError(f"a rule of what to ignore is malformed: {error}") from None

    def is_ignored(path: str, is_directory: bool) -> bool:
        return rules.match_file(f"{path}/" if is_directory else path)

    return is_ignored
