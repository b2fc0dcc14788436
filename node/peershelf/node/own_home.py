"""The user's home directory, which may be missing in a container or under a service manager.

Python leaves the ~ of such a user as it is, so that a repo would come to be in a directory of that name, and
takes an empty or relative $HOME at its word. platformdirs asks for the user's entry then, and so does this.
"""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH111, PTH117

from __future__ import annotations

import os

from peershelf.node.errors import RepoError


class NoHome(RepoError):
    """The repo would be in the home directory of a user who has none."""

    def __init__(self) -> None:
        super().__init__("$HOME is not set, so name a place for the repo with --repo or $PEERSHELF_PATH")


def expanded(path: str) -> str:
    """The path with the home directory for its ~. Raises NoHome."""
    if path != "~" and not path.startswith("~/"):
        return os.path.expanduser(path)
    home = os.environ.get("HOME", "")
    if not os.path.isabs(home):
        import pwd

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            raise NoHome from None
    return home.rstrip("/") + path[1:] or "/"
