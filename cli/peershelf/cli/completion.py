"""Completion scripts for bash, zsh and fish, made from the commands' own tables."""

from __future__ import annotations

from peershelf.cli import commands
from peershelf.cli.context import GLOBAL_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from peershelf.cli.grammar import Option

PROGRAMS = ("peershelf", "node")


class _Place:
    """A point on the command line: after the words of `path`, what may come, each with its explanation."""

    def __init__(self, path: str, words: Sequence[tuple[str, str]], options: Sequence[Option]) -> None:
        self.path = path
        self.words = words
        self.options = options


def _places() -> Iterator[_Place]:
    prefixes = (name.split()[:count] for name in commands.NAMES for count in range(name.count(" ") + 1))
    for path in dict.fromkeys(" ".join(words) for words in prefixes):
        if path not in commands.NAMES:
            help_alone = [option for option in GLOBAL_OPTIONS if option.key == "help"]
            yield _Place(path, _following(path), help_alone if path else GLOBAL_OPTIONS)
    for name in commands.NAMES:
        command = commands.load(name)
        choices = [(choice, "") for argument in command.arguments for choice in argument.choices]
        yield _Place(name, [*_following(name), *choices], (*command.options, *GLOBAL_OPTIONS))


def _following(path: str) -> list[tuple[str, str]]:
    """The words that go on from `path` towards a command, each with its explanation."""
    words = dict.fromkeys(name.removeprefix(path).split()[0] for name in commands.below(path))
    return [(word, _summary(f"{path} {word}".lstrip())) for word in words]


def _summary(path: str) -> str:
    if path in commands.NAMES:
        return commands.load(path).summary
    return ", ".join(word for word, _ in _following(path))


def _names_that_take_values() -> list[str]:
    """Every option that swallows the next word, so that it is not taken for a command."""
    found = {name: None for place in _places() for o in place.options if not o.is_flag for name in o.names}
    return list(found)


def bash() -> str:
    """The script for bash. Where no word of ours fits, bash completes file names."""
    cases, values = [], []
    for place in _places():
        words = " ".join(word for word, _ in place.words)
        options = " ".join(name for option in place.options for name in option.names)
        cases.append(f'        "{place.path}") words="{words}" options="{options}" ;;')
        for option in place.options:
            if option.choices:
                pattern = "|".join(f'"{place.path} {name}"' for name in option.names)
                values.append(f'        {pattern}) words="{" ".join(option.choices)}" ;;')
    skipped = "|".join(_names_that_take_values())
    groups = "|".join(f'"{place.path}"' for place in _places() if place.path)
    lines = (
        "# bash completion for peershelf",
        "_peershelf() {",
        '    local i path="" words="" options="" current=${COMP_WORDS[COMP_CWORD]}',
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "${COMP_WORDS[i]}" in',
        f"            {skipped}) ((i++)); continue ;;",
        "            -*) continue ;;",
        "        esac",
        '        case "${path:+$path }${COMP_WORDS[i]}" in',
        f'            {groups}) path="${{path:+$path }}${{COMP_WORDS[i]}}" ;;',
        "        esac",
        "    done",
        '    case "$path" in',
        *cases,
        "    esac",
        "    [[ $current == -* ]] && words=$options",
        '    case "$path ${COMP_WORDS[COMP_CWORD-1]}" in',
        *values,
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "}",
        f"complete -o default -F _peershelf {' '.join(PROGRAMS)}",
    )
    return "\n".join(lines)


def zsh() -> str:
    """The script for zsh, to be put on its fpath."""
    cases = []
    for place in _places():
        words = " ".join(_zsh_quoted(word, what) for word, what in place.words)
        options = " ".join(_zsh_quoted(option.names[-1], option.help) for option in place.options)
        cases.append(f"        ({_quoted(place.path)}) found=({words}) options=({options}) ;;")
    skipped = "|".join(_names_that_take_values())
    groups = "|".join(_quoted(place.path) for place in _places() if place.path)
    lines = (
        f"#compdef {' '.join(PROGRAMS)}",
        "_peershelf() {",
        '    local i word at=""',
        "    local -a found options",
        "    for ((i = 2; i < CURRENT; i++)); do",
        "        word=${words[i]}",
        '        case "$word" in',
        f"            ({skipped}) ((i++)); continue ;;",
        "            (-*) continue ;;",
        "        esac",
        '        case "${at:+$at }$word" in',
        f'            ({groups}) at="${{at:+$at }}$word" ;;',
        "        esac",
        "    done",
        '    case "$at" in',
        *cases,
        "    esac",
        '    [[ "$PREFIX" == -* ]] && found=($options)',
        "    _describe -t commands peershelf found || _files",
        "}",
        '_peershelf "$@"',
    )
    return "\n".join(lines)


def fish() -> str:
    """The script for fish."""
    skipped = " ".join(_names_that_take_values())
    paths = " ".join(_quoted(place.path) for place in _places() if place.path)
    lines = [
        "# fish completion for peershelf",
        "function __peershelf_at --description 'whether these are the command words so far'",
        "    set -l at",
        "    set -l skip 0",
        "    for word in (commandline -opc)[2..-1]",
        "        if test $skip = 1",
        "            set skip 0",
        f"        else if contains -- $word {skipped}",
        "            set skip 1",
        f'        else if contains -- "$at$word" {paths}',
        '            set at "$at$word "',
        "        end",
        "    end",
        '    test "$at" = "$argv[1]"',
        "end",
    ]
    for program in PROGRAMS:
        lines += [line for place in _places() for line in _fish_place(program, place)]
    return "\n".join(lines)


def _fish_place(program: str, place: _Place) -> Iterator[str]:
    at = f"{place.path} " if place.path else ""
    start = f"complete -c {program} -n {_quoted(f'__peershelf_at {_quoted(at)}')}"
    for word, what in place.words:
        yield f"{start} -f -a {word} -d {_quoted(what)}"
    for option in place.options:
        names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
        values = f" -x -a {_quoted(' '.join(option.choices))}" if option.choices else " -r"
        yield f"{start} {names}{'' if option.is_flag else values} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """Text as one word of any of these shells."""
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh_quoted(word: str, what: str) -> str:
    escaped = word.replace(":", "\\:")
    return _quoted(f"{escaped}:{what}")


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}
