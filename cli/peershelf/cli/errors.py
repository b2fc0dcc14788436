"""What a command can end with besides success. The message is one line that says what to do.

The exit code is 2 where the words do not fit the command, so that nothing was tried: an unknown command or
option, an option without its value, an argument that is missing or one too many. It is 1 for everything else,
also for a value that makes no sense, wherever that is noticed. So it does not depend on who answers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class CliError(Exception):
    """The command failed: the message goes to standard error and the program exits with `exit_code`.

    `details` are lines for those who say -v.
    """

    exit_code = 1

    def __init__(self, message: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = details


class UsageError(CliError):
    """The words do not fit the command. Of the values among them it says nothing."""

    exit_code = 2


class DaemonUnreachable(CliError):
    """No connection to the daemon's API could be made."""


class TransferBroken(CliError):
    """The daemon's answer ended early or was not HTTP; what was printed so far is incomplete."""


class OutputClosed(CliError):
    """Whoever read standard output has gone, as in `cat CID | head`: a quiet end, and no failure."""

    exit_code = 0
