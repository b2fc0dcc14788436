"""`shutdown`: end the daemon."""

from __future__ import annotations

from peershelf.cli.grammar import Command
from peershelf.cli.locate import wait_until_free

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Ask the daemon to end; returns when it has let go of the repo, so that another may start at once."""
    context.running_daemon().unary("shutdown")
    if context.api is None:
        wait_until_free(context.repo)
    return 0


COMMAND = Command(
    "shutdown",
    "End the daemon",
    run,
    examples=(("shutdown", "end the daemon and wait until it is gone"),),
)
