from __future__ import annotations

import fcntl
import os
import pwd
import threading
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli import locate
from peershelf.cli.errors import CliError
from peershelf.node.errors import RepoError
from peershelf.node.repo import default_path


def test_nobody_has_a_repo_that_does_not_exist_and_looking_makes_nothing(tmp_path: Path) -> None:
    assert locate.find_daemon(str(tmp_path / "absent")) is None
    assert list(tmp_path.iterdir()) == []


def test_an_api_file_beside_a_free_lock_is_ignored(repo: Path, daemon: Any) -> None:
    (repo / "lock").write_text("1234\nnode daemon\n")
    (repo / "api").write_text(daemon.address)
    assert locate.find_daemon(str(repo)) is None


def test_the_holder_of_the_lock_is_reached_through_its_api_file(held: Path, daemon: Any) -> None:
    (held / "api").write_text(f"{daemon.address}\n")
    found = locate.find_daemon(str(held))
    assert found is not None
    assert found[0].text == daemon.address
    found[1].close()


def test_looking_leaves_the_lock_to_others(repo: Path) -> None:
    (repo / "lock").touch()
    assert not locate.is_locked(str(repo))
    with (repo / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert locate.is_locked(str(repo))


def test_a_daemon_that_is_starting_gets_time_to_write_its_address(held: Path, daemon: Any) -> None:
    def write() -> None:
        (held / "api").write_text(daemon.address)

    timer = threading.Timer(0.1, write)
    timer.start()
    found = locate.find_daemon(str(held))
    timer.join()
    assert found is not None
    found[1].close()


def test_a_lock_that_becomes_free_while_waiting_is_taken_for_free(repo: Path) -> None:
    lock = os.open(repo / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    timer = threading.Timer(0.1, os.close, [lock])
    timer.start()
    assert locate.find_daemon(str(repo)) is None
    timer.join()


@pytest.mark.parametrize("api", [None, "", "garbage", "/ip4/127.0.0.1/tcp/1"])
def test_a_holder_without_an_api_is_named(held: Path, api: str | None) -> None:
    if api is not None:
        (held / "api").write_text(api)
    with pytest.raises(CliError, match=r"in use by process 4321 \(node daemon --init\)"):
        locate.find_daemon(str(held), wait=0.1)


@pytest.mark.parametrize("text", ["", "garbage", "\x1b[31m 7 x"])
def test_a_lock_file_that_names_nobody_is_no_hindrance(held: Path, text: str) -> None:
    (held / "lock").write_text(text)
    assert locate.holder(str(held)) == "another process"


def test_a_repo_that_cannot_be_looked_into_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CliError, match="cannot use the repo"):
        locate.find_daemon(str(tmp_path / "file"))


def test_waiting_until_the_repo_is_free_ends_when_it_is_and_names_who_stays(
    held: Path, tmp_path: Path
) -> None:
    locate.wait_until_free(str(tmp_path))
    with pytest.raises(CliError, match="process 4321"):
        locate.wait_until_free(str(held), wait=0)


@pytest.mark.parametrize(
    "environment",
    [
        {"PEERSHELF_PATH": "/srv/shelf"},
        {"PEERSHELF_PATH": "~/shelf"},
        {"PEERSHELF_PATH": ""},
        {"XDG_DATA_HOME": "/srv/data"},
        {"XDG_DATA_HOME": " "},
        {"HOME": ""},
        {"HOME": "relative"},
        {"HOME": "/"},
        {},
    ],
)
def test_the_default_repo_is_the_nodes(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("PEERSHELF_PATH", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert locate.default_repo() == str(default_path())


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"PEERSHELF_PATH": "~/shelf"}])
def test_a_user_without_a_home_is_told_and_gets_no_repo_in_a_directory_named_like_that(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """As in a container that is run as a user of no name."""

    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("PEERSHELF_PATH", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CliError, match="HOME is not set, so name a place"):
        locate.default_repo()
    with pytest.raises(RepoError, match="HOME is not set, so name a place"):
        default_path()
