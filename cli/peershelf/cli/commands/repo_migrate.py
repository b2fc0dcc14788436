"""`repo migrate`: bring a repo to this program's layout, or back."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Command, Option
from peershelf.cli.values import positive_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Migrate, in this process, and say what was done."""
    if context.api is not None:
        raise CliError("migrate works on a repo that no daemon uses: leave out --api")
    from pathlib import Path

    from peershelf.cli.failures import translated
    from peershelf.node.migrations import runner

    dry_run = call.flag("dry-run")
    steps: list[str] = []
    with translated():
        repo = Path(context.repo)
        target = _target(call, runner.read_version(repo), runner.NEWEST)
        done = runner.migrate(repo, target, dry_run=dry_run, tell=steps.append)
    if context.json:
        output.json_line({"From": done.before, "To": done.after, "Steps": steps, "DryRun": dry_run})
        return 0
    for step in steps:
        output.line(step)
    output.line(_told(done.before, done.after, dry_run=dry_run))
    return 0


def _target(call: Call, layout: int, newest: int) -> int:
    text = call.text("to")
    if text is None:
        return max(layout - 1, 1) if call.flag("rollback") else newest
    if call.flag("rollback"):
        raise CliError("migrate takes either --to or --rollback")
    return int(text)


def _told(before: int, after: int, *, dry_run: bool) -> str:
    if before == after:
        return f"the repo has layout {after}; there is nothing to do"
    if dry_run:
        return "nothing was changed"
    return f"migrated the repo from layout {before} to {after}"


COMMAND = Command(
    "repo migrate",
    "Bring a repo of another version to the layout of this one, or back",
    run,
    details="Works without a daemon. The repo is whole at every moment: an interrupted command is taken up\n"
    "by running it again, or undone with --rollback, which keeps pins that were made since.",
    options=(
        Option("--to", "the layout to reach (default: the newest)", metavar="N", check=positive_number),
        Option("--rollback", "go back by one layout, for an older program"),
        Option("--dry-run", "only say what would be done"),
    ),
    examples=(
        ("repo migrate", "after an update of this program"),
        ("repo migrate --rollback", "before going back to an older one"),
    ),
)
