"""Failures as a user reads them."""

from __future__ import annotations

import errno

import pytest
import trio

from peershelf.blockstore.errors import BlockNotFound
from peershelf.node.describe import describe, known_error
from peershelf.node.errors import NodeError
from peershelf.protocols.errors import DialFailed


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NodeError("two\n  lines"), "two lines"),
        (NodeError(), "NodeError"),
        (BlockNotFound("no block"), "no block"),
        (DialFailed("refused"), "refused"),
        (trio.TooSlowError(), "the operation took too long; try again, or give it a longer --timeout"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "no space left on the device; free some and try again",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a\nb"),
            r"a\nb: No such file or directory",
        ),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (ConnectionResetError(), "ConnectionResetError"),
        (KeyError("a stranger's words"), "internal error (KeyError); the log says more"),
    ],
)
def test_every_error_is_one_line(error: Exception, text: str) -> None:
    assert describe(error) == text


def test_a_group_is_told_by_its_first_known_member() -> None:
    known = NodeError("inside")
    group = ExceptionGroup("all", [ValueError("x"), ExceptionGroup("more", [known])])
    assert known_error(group) is known
    assert describe(group) == "inside"


def test_a_group_of_strangers_is_a_bug() -> None:
    assert (
        describe(ExceptionGroup("all", [ValueError("x")]))
        == "internal error (ExceptionGroup); the log says more"
    )
