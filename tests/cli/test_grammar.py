from __future__ import annotations

import pytest

from peershelf.cli.errors import CliError, UsageError
from peershelf.cli.grammar import Argument, Call, Command, Option, Reader, check_arguments
from peershelf.cli.values import whole_number

OPTIONS = (
    Option("-q, --quiet", "less"),
    Option("-n, --only-hash", "nothing stored"),
    Option("-o, --offset", "from", metavar="BYTES", check=whole_number),
    Option("--hash", "function", metavar="NAME", choices=("sha2-256", "blake3")),
    Option("--pin", "keep"),
)


def read(*words: str) -> tuple[list[str], dict[str, str]]:
    reader = Reader(OPTIONS, "add")
    return reader.all(words), reader.values


def test_options_may_stand_before_between_and_after_arguments() -> None:
    assert read("-q", "a", "--hash", "blake3", "b", "--pin") == (
        ["a", "b"],
        {"quiet": "true", "hash": "blake3", "pin": "true"},
    )


@pytest.mark.parametrize(
    "words", [("-o", "5"), ("-o5",), ("-o=5",), ("--offset", "5"), ("--offset=5",), ("-qo5",), ("-qo", "5")]
)
def test_a_value_is_taken_in_every_way_of_writing_it(words: tuple[str, ...]) -> None:
    assert read(*words)[1]["offset"] == "5"


def test_short_flags_may_be_joined() -> None:
    assert read("-qn")[1] == {"quiet": "true", "only-hash": "true"}


@pytest.mark.parametrize("words", [("--pin=false",), ("--pin", "--pin=false")])
def test_a_flag_takes_its_value_after_an_equals_sign_and_the_last_word_counts(words: tuple[str, ...]) -> None:
    assert read(*words)[1] == {"pin": "false"}


def test_a_flag_does_not_swallow_the_next_word() -> None:
    assert read("--pin", "false") == (["false"], {"pin": "true"})


def test_a_short_flag_takes_a_value_after_an_equals_sign() -> None:
    assert read("-q=false")[1] == {"quiet": "false"}


def test_everything_after_two_dashes_is_an_argument() -> None:
    assert read("-q", "--", "-n", "--pin") == (["-n", "--pin"], {"quiet": "true"})


@pytest.mark.parametrize("word", ["-", "-5", ""])
def test_a_dash_a_negative_number_and_nothing_are_arguments(word: str) -> None:
    assert read(word) == ([word], {})


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--pni",), "did you mean '--pin'"),
        (("-x",), "unknown option '-x'"),
        (("-qx",), "unknown option '-x'"),
        (("--offset",), "needs a value"),
        (("-o",), "needs a value"),
    ],
)
def test_what_is_no_such_option_is_refused_with_a_hint(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read(*words)


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("--offset=x", "whole number"),
        ("--hash=md5", "one of sha2-256, blake3"),
        ("--pin=maybe", "true or false"),
    ],
)
def test_a_value_that_is_none_is_no_mistake_of_usage(word: str, complaint: str) -> None:
    with pytest.raises(CliError, match=complaint) as caught:
        read(word)
    assert caught.value.exit_code == 1


def test_before_the_command_only_long_options_are_taken() -> None:
    reader = Reader(OPTIONS)
    assert reader.leading(["--offset", "5", "--pin", "add", "--quiet"]) == ["add", "--quiet"]
    assert reader.values == {"offset": "5", "pin": "true"}
    with pytest.raises(UsageError, match="after the command"):
        Reader(OPTIONS).leading(["-q", "add"])


def command(*arguments: Argument) -> Command:
    return Command("cat", "Print", lambda context, call: 0, arguments=arguments, examples=(("cat", "print"),))


@pytest.mark.parametrize(
    ("arguments", "words", "complaint"),
    [
        ((Argument("CID"),), [], "CID is missing"),
        ((Argument("CID"),), ["a", "b"], "'b' is one argument too many"),
        ((Argument("CID", many=True),), [], "CID is missing"),
        ((), ["a"], "'a' is one argument too many"),
        ((Argument("KEY"), Argument("JSON")), ["a"], "JSON is missing"),
    ],
)
def test_the_number_of_arguments_is_checked(
    arguments: tuple[Argument, ...], words: list[str], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        check_arguments(command(*arguments), words)


def test_an_argument_is_one_of_its_choices() -> None:
    shell = Argument("SHELL", choices=("bash", "fish"))
    check_arguments(command(shell), ["fish"])
    with pytest.raises(CliError, match="one of bash, fish") as caught:
        check_arguments(command(shell), ["tcsh"])
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((Argument("CID", many=True),), ["a", "b", "c"]),
        ((Argument("PEER", optional=True),), []),
        ((Argument("FILE", many=True, optional=True),), []),
        ((Argument("SHELL", choices=("bash", "fish")),), ["fish"]),
    ],
)
def test_as_many_arguments_as_the_command_takes_are_accepted(
    arguments: tuple[Argument, ...], words: list[str]
) -> None:
    check_arguments(command(*arguments), words)


def test_a_call_passes_on_only_the_options_that_were_given() -> None:
    call = Call([], {"pin": "false", "quiet": "true"})
    assert call.only("pin", "hash") == {"pin": "false"}
    assert not call.flag("pin", default=True)
    assert call.flag("progress", default=True)
    assert call.text("hash") is None
