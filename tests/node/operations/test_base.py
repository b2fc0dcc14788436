"""Reading a request, and holding it against what an operation takes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from peershelf.node.errors import UsageError
from peershelf.node.operations.base import Unary, validate
from peershelf.node.operations.request import Request


def request(*args: str, **options: str) -> Request:
    return Request(args, {name.replace("_", "-"): value for name, value in options.items()})


@pytest.mark.parametrize("text", ["true", "1", "True", "", "yes", "t"])
def test_a_flag_may_be_set_in_many_ways(text: str) -> None:
    assert request(pin=text).flag("pin") is True


@pytest.mark.parametrize("text", ["false", "0", "FALSE", "no", "f"])
def test_and_cleared_in_as_many(text: str) -> None:
    assert request(pin=text).flag("pin", True) is False


@pytest.mark.parametrize("text", ["", "x", "1.5", "--1", "1e3", "²", "٣", "9" * 30, "-"])
def test_what_is_no_whole_number_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="option offset takes a whole number"):
        request(offset=text).integer("offset")


def test_a_number_has_a_least_value() -> None:
    assert request(level="-1").integer("level", minimum=-1) == -1
    with pytest.raises(UsageError, match="option offset takes a number of at least 0, not -1"):
        request(offset="-1").integer("offset")


def test_what_is_not_given_has_its_default() -> None:
    empty = request()
    assert empty.integer("offset") is None
    assert empty.integer("offset", 7) == 7
    assert empty.text("hash", "sha2-256") == "sha2-256"
    assert empty.flag("pin", True) is True
    assert empty.timeout == math.inf
    assert empty.offline is False


def test_a_flag_that_is_neither_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="option pin takes true or false, not 'maybe'"):
        request(pin="maybe").flag("pin")


def test_a_timeout_is_a_duration() -> None:
    assert request(timeout="1m30s").timeout == 90
    with pytest.raises(UsageError, match="option timeout: 'x' is no duration"):
        _ = request(timeout="x").timeout


def test_the_old_name_of_offline_still_works() -> None:
    assert request(local="true").offline
    assert request(offline="true").offline


def test_a_missing_argument_is_a_usage_error() -> None:
    assert request("a").arg(0) == "a"
    with pytest.raises(UsageError, match="argument 2 is missing"):
        request("a").arg(1)


async def nothing(node: object, request: Request) -> dict[str, Any]:
    return {}


OPERATION = Unary(
    "block/put", nothing, options=frozenset({"pin"}), fixed={"mhlen": "-1", "inline": "false"}, max_args=1
)


@pytest.mark.parametrize(
    "options", [{}, {"pin": "x"}, {"mhlen": "-1"}, {"inline": "0"}, {"encoding": "json"}]
)
def test_known_options_are_accepted(options: dict[str, str]) -> None:
    validate(OPERATION, Request((), options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "block/put has no option 'colour'"),
        ({"a\nb" * 60: "red"}, r"block/put has no option 'a\nba\nba"),
        ({"mhlen": "20"}, "block/put does not support mhlen='20', only -1"),
        ({"inline": "true"}, "block/put does not support inline='true', only false"),
    ],
)
def test_others_are_usage_errors_of_one_line(options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(OPERATION, Request((), options))
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)
