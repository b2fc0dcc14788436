"""`completion`: shell completion scripts."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the script for the shell."""
    from peershelf.cli.completion import SCRIPTS

    output.line(SCRIPTS[call.arguments[0]]())
    return 0


COMMAND = Command(
    "completion",
    "Print a completion script for a shell",
    run,
    arguments=(Argument("SHELL", choices=("bash", "zsh", "fish")),),
    examples=(
        ("completion bash >> ~/.bashrc", "for bash"),
        ('completion zsh > "${fpath[1]}/_peershelf"', "for zsh"),
        ("completion fish > ~/.config/fish/completions/peershelf.fish", "for fish"),
    ),
)
