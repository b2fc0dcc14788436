"""Finds out who answers a command: a running daemon, or the command itself on the repo.

The flock on the repo's `lock` is the truth about who has it. Where it is free, an `api` file is left over
from a daemon that died, and is ignored. Where it is held, the daemon's address is in `api`; a daemon that is
just starting gets a few seconds to write it.
"""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import fcntl
import os
import sys
import time

from peershelf.cli.address import Address
from peershelf.cli.errors import CliError, DaemonUnreachable
from peershelf.cli.text import one_line
from peershelf.node.errors import RepoError
from peershelf.node.own_home import expanded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

WAIT_SECONDS = 5.0
"""How long the holder of the lock may take until its API answers."""
_POLL_SECONDS = 0.05
_MAX_HOLDER = 120


def default_repo() -> str:
    """The repo when no option names one: $PEERSHELF_PATH, else the platform's user data directory.

    The answer is that of `peershelf.node.repo.default_path`, without platformdirs where its rule is short.
    Raises CliError where that is in the home directory of a user who has none.
    """
    try:
        return _default_repo()
    except RepoError as error:
        raise CliError(str(error)) from None


def _default_repo() -> str:
    named = os.environ.get("PEERSHELF_PATH")
    if named:
        return expanded(named)
    if sys.platform != "linux":
        from peershelf.node.repo import default_path

        return str(default_path())
    data = os.environ.get("XDG_DATA_HOME", "").strip() or expanded("~/.local/share")
    return os.path.join(data, "peershelf")


def find_daemon(
    repo: str, *, wait: float = WAIT_SECONDS, hands_over: bool = False
) -> tuple[Address, socket.socket] | None:
    """The daemon that has the repo, connected; None where nobody has it.

    With `hands_over` the connection is one for handing over files, if there can be one.

    Raises CliError naming the holder of the lock when no API of it answers within `wait` seconds.
    """
    deadline = time.monotonic() + wait
    while is_locked(repo):
        found = _try_api(repo, hands_over=hands_over)
        if found is not None:
            return found
        if time.monotonic() >= deadline:
            raise CliError(
                f"the repo {one_line(repo)} is in use by {holder(repo)}: wait for it to end, or stop it"
            )
        time.sleep(_POLL_SECONDS)
    return None


def is_locked(repo: str) -> bool:
    """Whether a process holds the repo. Never creates anything, and lets go of the lock at once."""
    try:
        lock = os.open(os.path.join(repo, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CliError(f"cannot use the repo {one_line(repo)}: opening lock: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def wait_until_free(repo: str, *, wait: float = WAIT_SECONDS) -> None:
    """Return once nobody holds the repo. Raises CliError naming who still does after `wait` seconds."""
    deadline = time.monotonic() + wait
    while is_locked(repo):
        if time.monotonic() >= deadline:
            raise CliError(f"{holder(repo)} still has the repo {one_line(repo)}; see its log")
        time.sleep(_POLL_SECONDS)


def holder(repo: str) -> str:
    """What the lock file says about the process that holds it: its number and command."""
    text = one_line(_read(os.path.join(repo, "lock")))
    pid, _, command = text[:_MAX_HOLDER].partition(" ")
    if not pid.isdigit():
        return "another process"
    return f"process {pid} ({command})" if command else f"process {pid}"


def _try_api(repo: str, *, hands_over: bool) -> tuple[Address, socket.socket] | None:
    from peershelf.cli import handing
    from peershelf.cli.remote import connect

    text = _read(os.path.join(repo, "api"))
    try:
        address = Address.parse(text)
        return address, (hands_over and handing.connect(repo)) or connect(address)
    except (ValueError, DaemonUnreachable):
        return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""
