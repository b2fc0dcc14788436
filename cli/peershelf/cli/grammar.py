"""The grammar of the command line: Kubo's, so that habits and scripts carry over.

A command is described by one `Command` table, from which come its parsing, its help and the completions.
Options may stand before, between and after the arguments; a flag is true by itself and takes a value only
after `=` (`--pin=false`), so that `add --progress FILE` means the file; short flags may be joined (`-qn`).
argparse can express neither, and costs a command more than this whole module. Values stay text, in the
form in which the daemon's API takes them: an option's `check` only refuses what is plainly no such value.
"""

from __future__ import annotations

from peershelf.cli.errors import CliError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from peershelf.cli.context import Context

TRUE, FALSE = "true", "false"


class Option:
    """One option: `names` as the help shows them (`-q, --quiet`); without a `metavar` it is a flag.

    A `repeatable` one keeps all the values that it was given, as the lines of one text.
    """

    __slots__ = ("check", "choices", "help", "key", "metavar", "names", "repeatable")

    def __init__(
        self,
        names: str,
        help: str,
        *,
        metavar: str | None = None,
        check: Callable[[str], object] = str,
        choices: tuple[str, ...] = (),
        repeatable: bool = False,
    ) -> None:
        self.repeatable = repeatable
        self.names = tuple(names.split(", "))
        self.key = self.names[-1].lstrip("-")
        self.help = help
        self.metavar = metavar
        self.check = check
        self.choices = choices

    @property
    def is_flag(self) -> bool:
        """Whether the option is true by standing there, and takes a value only after `=`."""
        return self.metavar is None

    def accept(self, text: str) -> str:
        """The value `text` as it is kept; raises CliError when it is none."""
        if self.is_flag and text not in (TRUE, FALSE):
            raise CliError(f"{self.names[-1]} is true or false, not {text!r}")
        if self.choices and text not in self.choices:
            raise CliError(f"{self.names[-1]} is one of {', '.join(self.choices)}, not {text!r}")
        try:
            self.check(text)
        except ValueError as error:
            raise CliError(f"{self.names[-1]} {text!r}: {error}") from None
        return text


class Argument:
    """A positional argument, or with `many` all that are left."""

    __slots__ = ("choices", "many", "metavar", "optional")

    def __init__(
        self, metavar: str, *, many: bool = False, optional: bool = False, choices: tuple[str, ...] = ()
    ) -> None:
        self.metavar = metavar
        self.many = many
        self.optional = optional
        self.choices = choices


class Command:
    """One command: `examples` are pairs of a command line and what it does."""

    __slots__ = ("arguments", "details", "examples", "name", "options", "run", "summary")

    def __init__(
        self,
        name: str,
        summary: str,
        run: Callable[[Context, Call], int],
        *,
        arguments: tuple[Argument, ...] = (),
        options: tuple[Option, ...] = (),
        details: str = "",
        examples: tuple[tuple[str, str], ...],
    ) -> None:
        self.name = name
        self.summary = summary
        self.run = run
        self.arguments = arguments
        self.options = options
        self.details = details
        self.examples = examples

    def synopsis(self) -> str:
        """The command with its arguments: `cat CID[/path]...`."""
        shown = (f"{a.metavar}..." if a.many else a.metavar for a in self.arguments)
        optional = (f"[{s}]" if a.optional else s for a, s in zip(self.arguments, shown, strict=True))
        return " ".join((self.name, *optional))


class Call:
    """A command line that has been read: the words that are arguments, and the options by key."""

    __slots__ = ("arguments", "options")

    def __init__(self, arguments: list[str], options: dict[str, str]) -> None:
        self.arguments = arguments
        self.options = options

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Whether a flag was given, and not as `=false`."""
        return self.options[key] == TRUE if key in self.options else default

    def text(self, key: str) -> str | None:
        """An option's value, or None where it was not given."""
        return self.options.get(key)

    def only(self, *keys: str) -> dict[str, str]:
        """The given ones of these options, for the API, where they have the same names and text."""
        return {key: self.options[key] for key in keys if key in self.options}


class Reader:
    """Reads the words of one command line against a table of options."""

    def __init__(self, options: Iterable[Option], command: str = "") -> None:
        self._by_name = {name: option for option in options for name in option.names}
        self._where = f"{command} " if command else ""
        self.values: dict[str, str] = {}

    def leading(self, words: Sequence[str]) -> list[str]:
        """Takes the long options that stand first; the words from the first other one on are returned.

        Before the command, short options are those of Node.js under the name `node`; only -h asks for help.
        """
        rest = list(words)
        while rest and rest[0].startswith("--") and rest[0] != "--":
            self._long(rest.pop(0), rest)
        if rest and rest[0].startswith("-") and rest[0] not in ("-", "-h"):
            raise UsageError(f"{rest[0]}: short options come after the command; see --help")
        return rest

    def all(self, words: Sequence[str]) -> list[str]:
        """Takes every option; the arguments are returned. After `--` every word is an argument."""
        rest = list(words)
        arguments: list[str] = []
        while rest:
            word = rest.pop(0)
            if word == "--":
                return arguments + rest
            if word.startswith("--"):
                self._long(word, rest)
            elif word.startswith("-") and not word[1:2].isdigit() and word != "-":
                self._short(word, rest)
            else:
                arguments.append(word)
        return arguments

    def _long(self, word: str, rest: list[str]) -> None:
        name, equals, value = word.partition("=")
        option = self._find(name)
        if not equals:
            value = TRUE if option.is_flag else self._next(option, rest)
        self._keep(option, value)

    def _short(self, word: str, rest: list[str]) -> None:
        """One word of short options: `-q`, `-qn`, `-o 5`, `-o5`, `-o=5`."""
        letters = word[1:]
        while letters:
            option, letters = self._find(f"-{letters[0]}"), letters[1:]
            if option.is_flag and not letters.startswith("="):
                self.values[option.key] = TRUE
                continue
            value = letters.removeprefix("=") if letters else self._next(option, rest)
            self._keep(option, value)
            return

    def _keep(self, option: Option, text: str) -> None:
        value = option.accept(text)
        if option.repeatable and option.key in self.values:
            value = f"{self.values[option.key]}\n{value}"
        self.values[option.key] = value

    def _next(self, option: Option, rest: list[str]) -> str:
        if not rest:
            raise UsageError(f"{option.names[-1]} needs a value: {option.names[-1]} {option.metavar}")
        return rest.pop(0)

    def _find(self, name: str) -> Option:
        option = self._by_name.get(name)
        if option is None:
            hint = did_you_mean(name, self._by_name) if name.startswith("--") else ""
            from peershelf.cli.usage import program

            raise UsageError(f"unknown option {name!r}{hint}; see `{program()} {self._where}--help`")
        return option


def check_arguments(command: Command, words: list[str]) -> None:
    """Raises UsageError for too few or too many arguments, CliError for one that is no choice there."""
    needed = [argument for argument in command.arguments if not argument.optional]
    unbounded = any(argument.many for argument in command.arguments)
    if len(words) < len(needed):
        raise UsageError(f"{needed[len(words)].metavar} is missing: {command.synopsis()}")
    if len(words) > len(command.arguments) and not unbounded:
        extra = words[len(command.arguments)]
        raise UsageError(f"{extra!r} is one argument too many: {command.synopsis()}")
    for argument, word in zip(command.arguments, words, strict=False):
        if argument.choices and word not in argument.choices:
            raise CliError(f"{argument.metavar} is one of {', '.join(argument.choices)}, not {word!r}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known word, or nothing."""
    from difflib import get_close_matches

    bare = {name.lstrip("-"): name for name in known}  # dashes are alike in all, and would bring all near
    near = get_close_matches(word.lstrip("-"), bare, n=1)
    return f"; did you mean {bare[near[0]]!r}?" if near else ""
