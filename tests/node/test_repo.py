import os
import subprocess
import sys
from pathlib import Path

import pytest

from peershelf.blockstore.errors import StoreLocked
from peershelf.node import repo
from peershelf.node.errors import ConfigError, IdentityError, RepoError, RepoMissing
from peershelf.node.opening import repo_lock
from peershelf.node.repo import Repo

HOLD_THE_LOCK = """
import pathlib, sys
from peershelf.node.opening import repo_lock
lock = repo_lock(pathlib.Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


def test_init_makes_a_private_repo_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "repo"
    made = repo.init(path, ("test",))
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "identity.key").stat().st_mode & 0o777 == 0o600
    loaded = Repo.load(path)
    assert loaded.identity == made.identity
    assert loaded.config.strings("Addresses.Swarm") == ["/ip4/127.0.0.1/tcp/0"]


def test_init_of_an_existing_repo_changes_nothing(tmp_path: Path) -> None:
    first = repo.init(tmp_path / "repo")
    with pytest.raises(RepoError, match="already"):
        repo.init(tmp_path / "repo", ("test",))
    assert Repo.load(tmp_path / "repo").identity == first.identity


def test_a_repo_that_somebody_else_makes_meanwhile_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = repo.DirectoryLock
    others: list[Repo] = []

    def lock_late(path: Path) -> repo.DirectoryLock:
        monkeypatch.setattr(repo, "DirectoryLock", lock)
        others.append(repo.init(tmp_path / "repo"))
        return lock(path)

    monkeypatch.setattr(repo, "DirectoryLock", lock_late)
    assert Repo.load_or_init(tmp_path / "repo").identity == others[0].identity


def test_init_refuses_a_directory_that_holds_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RepoError, match="other files"):
        repo.init(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_init_that_was_cut_short_can_be_run_again_and_keeps_the_key(tmp_path: Path) -> None:
    made = repo.init(tmp_path / "repo")
    (tmp_path / "repo" / "version").unlink()
    (tmp_path / "repo" / ".init-left").mkdir()
    assert repo.init(tmp_path / "repo").identity == made.identity


def test_an_unknown_profile_leaves_no_repo(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown profile"):
        repo.init(tmp_path / "repo", ("fast",))
    assert not repo.exists(tmp_path / "repo")
    repo.init(tmp_path / "repo")


def test_a_missing_repo_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RepoMissing, match="node init"):
        Repo.load(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_load_or_init_makes_a_repo_once(tmp_path: Path) -> None:
    first = Repo.load_or_init(tmp_path / "repo")
    assert Repo.load_or_init(tmp_path / "repo").identity == first.identity


def test_a_repo_of_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    repo.init(tmp_path / "repo")
    (tmp_path / "repo" / "version").write_text(f"{repo.VERSION + 1}\n")
    with pytest.raises(RepoError, match="newer peershelf"):
        Repo.load(tmp_path / "repo")


@pytest.mark.parametrize("text", ["", "one", "1.0", "\x00"])
def test_a_damaged_version_is_named(tmp_path: Path, text: str) -> None:
    repo.init(tmp_path / "repo")
    (tmp_path / "repo" / "version").write_text(text)
    with pytest.raises(RepoError, match="version"):
        Repo.load(tmp_path / "repo")


def test_a_lost_key_is_not_replaced_behind_the_users_back(tmp_path: Path) -> None:
    repo.init(tmp_path / "repo")
    (tmp_path / "repo" / "identity.key").unlink()
    with pytest.raises(IdentityError, match="missing"):
        Repo.load_or_init(tmp_path / "repo")


def test_the_lock_keeps_others_out_and_names_its_holder(tmp_path: Path) -> None:
    made = repo.init(tmp_path / "repo")
    with repo_lock(made.path), pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
        repo_lock(made.path)
    repo_lock(made.path).release()


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    made = repo.init(tmp_path / "repo")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(made.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
            repo_lock(made.path)
        holder.kill()
        holder.wait()
    repo_lock(made.path).release()


def test_the_environment_names_the_repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERSHELF_PATH", str(tmp_path))
    assert repo.default_path() == tmp_path
    monkeypatch.delenv("PEERSHELF_PATH")
    assert repo.default_path().name == "peershelf"
