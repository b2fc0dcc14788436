"""The program: finds the command that the words name, runs it, and turns how it ends into an exit code."""

from __future__ import annotations

import os
import sys

from peershelf.cli import commands, output
from peershelf.cli.context import GLOBAL_OPTIONS, Context
from peershelf.cli.errors import CliError, OutputClosed, UsageError
from peershelf.cli.grammar import Call, Reader, check_arguments, did_you_mean
from peershelf.cli.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130
_VERBOSE = ("-v", "--verbose")


def leave(code: int) -> NoReturn:
    """End the process with an exit code.

    Python takes an eighth of a short command's time to take itself apart. Where no node ran, that undoes
    nothing but memory: what a command began has ended, and its output is written.
    """
    if "trio" not in sys.modules:
        os._exit(code)
    sys.exit(code)


def main(words: Sequence[str]) -> int:
    """Run one command line and return the exit code: 0, 1 an error, 2 usage, 130 interrupted."""
    output.prepare()
    code = _run(words)
    output.end()
    return code


def _run(words: Sequence[str]) -> int:
    """Run one command line, and tell how it failed."""
    try:
        code = _dispatch(words)
        output.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except OutputClosed as closed:
        return closed.exit_code
    except CliError as error:
        return _tell(error, verbose=any(word in _VERBOSE for word in words))
    except Exception as error:
        return _confess(error, verbose=any(word in _VERBOSE for word in words))


def _dispatch(words: Sequence[str]) -> int:
    if words[:1] == ["--version"]:
        words = ["version", *words[1:]]
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    leading = Reader(GLOBAL_OPTIONS)
    rest = leading.leading(words)
    name, rest = _command_name(rest)
    if name not in commands.NAMES:
        return _group(name, asked="help" in leading.values or any(word in ("-h", "--help") for word in rest))
    command = commands.load(name)
    reader = Reader((*GLOBAL_OPTIONS, *command.options), name)
    reader.values.update(leading.values)
    arguments = reader.all(rest)
    call = Call(arguments, reader.values)
    if call.flag("help"):
        from peershelf.cli import usage

        output.line(usage.command_help(command, GLOBAL_OPTIONS))
        return 0
    check_arguments(command, arguments)
    return command.run(Context(call), call)


def _command_name(words: list[str]) -> tuple[str, list[str]]:
    """The longest command or group of commands that the first words spell, and the words after it.

    "" stands for the whole program. Raises UsageError for words that are no command.
    """
    known = ""
    while words and not words[0].startswith("-"):
        longer = f"{known} {words[0]}".lstrip()
        if longer not in commands.NAMES and not commands.below(longer):
            break
        known, words = longer, words[1:]
    if known in commands.NAMES or not words or words[0].startswith("-"):
        return known, words
    raise _unknown(known, words[0])


def _unknown(group: str, word: str) -> UsageError:
    choices = list(dict.fromkeys(name.removeprefix(group).split()[0] for name in commands.below(group)))
    whole = f"{group} {word}".lstrip()
    hint = did_you_mean(word, choices) or (f"; {group} needs one of {', '.join(choices)}" if group else "")
    return UsageError(f"unknown command {whole!r}{hint}; see `{f'{_program()} {group}'.rstrip()} --help`")


def _program() -> str:
    from peershelf.cli.usage import program

    return program()


def _group(name: str, *, asked: bool) -> int:
    """What stands for no single command: the program's help or a group's."""
    from peershelf.cli import usage

    if name and not asked:
        choices = (below.removeprefix(name).strip() for below in commands.below(name))
        raise UsageError(f"{name} needs one of {', '.join(choices)}; see `{_program()} {name} --help`")
    output.line(usage.group_help(name) if name else usage.program_help(GLOBAL_OPTIONS))
    return 0


def _tell(error: CliError, *, verbose: bool) -> int:
    """What went wrong, and what else is known of it for whoever asks with -v."""
    hint = "; -v says more" if error.details and not verbose else ""
    output.error(str(error) + hint)
    for line in error.details if verbose else ():
        output.note(f"  {one_line(line)}")
    return error.exit_code


def _confess(error: Exception, *, verbose: bool) -> int:
    """A mistake of the program's own: one line for the user, and the traceback for whoever asks with -v."""
    if verbose:
        import traceback

        output.note("".join(traceback.format_exception(error)).rstrip())
    output.error(
        f"internal error ({type(error).__name__}): run it again with -v after the command for details"
    )
    return 1
