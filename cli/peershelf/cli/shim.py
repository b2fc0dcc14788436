"""The program under the name `node`, which it shares with Node.js.

A call is ours when its first word is one of our commands, one of our long global options or `--help`, or when
there are no words and standard input is a terminal. Every other call goes on to the next `node` on PATH, so
that npm and other tools of Node.js work where our script stands before theirs. A plain word that is no script
here either, such as a command that is mistyped, stays with us: Node.js would answer it with a stack trace.

Passing on replaces this process (execve), so its number stays. The marker in the environment holds that
number and the programs that it was passed to: a version manager's `node` that calls us back is recognised by
it, and not tried again, while children of Node.js, which inherit the marker but not the number, start afresh.
Wrappers that start a new process each time are ended by the count of passes.
"""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH113, PTH118, PTH208

from __future__ import annotations

import os
import sys

from peershelf.cli.start import INTERRUPTED, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

MARKER = "PEERSHELF_NODE_PASSED"
_MAX_PASSES = 64
_OUR_OPTIONS = ("--repo", "--api", "--offline", "--json", "--timeout", "--verbose", "--help")
_NODEJS_WORDS = ("inspect", "debug")
_USAGE_ERROR = 2


def entry() -> NoReturn:
    """The console script `node`."""
    words = sys.argv[1:]
    try:
        terminal = sys.stdin is not None and sys.stdin.isatty()
        stays = is_ours(words, stdin_is_terminal=terminal) or is_nobodys(words)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    if stays:
        run(words)
    sys.exit(_pass_on(words))


def is_ours(words: Sequence[str], *, stdin_is_terminal: bool) -> bool:
    """Whether this call means peershelf, and not Node.js."""
    if not words:
        return stdin_is_terminal
    # Not with the module: until entry() runs, Ctrl-C is a traceback.
    from peershelf.cli.commands import NAMES

    return (
        words[0] in {name.partition(" ")[0] for name in NAMES} or words[0].partition("=")[0] in _OUR_OPTIONS
    )


def is_nobodys(words: Sequence[str]) -> bool:
    """Whether this call names no command of ours, and no script that Node.js could find.

    It would look for the word here, with endings of its own and such as NODE_OPTIONS may teach it.
    """
    word = words[0] if words else ""
    if not word.replace("-", "").isalpha() or word.startswith("-") or word in _NODEJS_WORDS:
        return False
    try:
        return not any(name == word or name.startswith(f"{word}.") for name in os.listdir())
    except OSError:
        return False


def _pass_on(words: Sequence[str]) -> int:
    """Become the next `node`; returns an exit code only where there is none."""
    passes, tried = read_marker(os.environ.get(MARKER, ""), os.getpid())
    tried.append(os.path.realpath(sys.argv[0]))
    program = None if passes >= _MAX_PASSES else next_node(os.environ.get("PATH", os.defpath), tried)
    if program is None:
        return _no_other_node(words)
    tried.append(os.path.realpath(program))
    marker = os.pathsep.join((str(os.getpid()), str(passes + 1), *tried))
    try:
        os.execve(program, [program, *words], {**os.environ, MARKER: marker})  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"Error: cannot run {program}: {error.strerror}\n")
        return 1


def read_marker(text: str, pid: int) -> tuple[int, list[str]]:
    """How often a call was passed on, and to which programs in this very process."""
    owner, _, rest = text.partition(os.pathsep)
    passes, _, tried = rest.partition(os.pathsep)
    if not (passes.isascii() and passes.isdigit()):
        return 0, []
    return int(passes), tried.split(os.pathsep) if owner == str(pid) else []


def next_node(path: str, tried: Sequence[str]) -> str | None:
    """The first executable `node` in the directories of `path` that was not tried."""
    return next((program for program in _candidates(path) if os.path.realpath(program) not in tried), None)


def _candidates(path: str) -> Iterator[str]:
    for directory in path.split(os.pathsep):
        program = os.path.join(directory or os.curdir, "node")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            yield program


def _no_other_node(words: Sequence[str]) -> int:
    asked = f"{words[0][:60]!r} is no command of peershelf" if words else "no command was given"
    sys.stderr.write(
        f"Error: {asked}, and there is no other `node` on PATH to pass it on to; see `node --help`\n"
    )
    return _USAGE_ERROR
