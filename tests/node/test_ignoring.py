"""Rules work as git has them; where git is installed, it is asked."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from peershelf.node.errors import UsageError
from peershelf.node.ignoring import ignore_rules
from peershelf.node.walk import Rules, walk

WITH_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

PATHS = [
    "a.tmp",
    "keep.tmp",
    "build/x",
    "src/build/x",
    "src/a.tmp",
    "doc/a.txt",
    "doc/sub/a.txt",
    "#hash",
    "sp ",
]

RULES = [
    ["*.tmp"],
    ["*.tmp", "!keep.tmp"],
    ["!keep.tmp", "*.tmp"],
    ["/build"],
    ["build/"],
    ["build", "!build/x"],
    ["doc/*.txt"],
    ["doc/**/a.txt"],
    ["**/build"],
    ["src/**"],
    ["# a comment", "", r"\#hash"],
    ["[a-k]*"],
    ["?"],
    ["sp\\ "],
    ["*", "!*/", "!*.txt"],
    ["src/**", "!src/a.tmp"],
    ["a/**/", "!a/b/"],
    ["**"],
    ["/*", "!/doc"],
    ["*", "!doc/"],
    ["a/b", "!a/b/x"],
    ["*.tmp   "],
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in PATHS:
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).touch()
    return tmp_path / "tree"


def ours(tree: Path, rules: list[str]) -> set[str]:
    taken = walk(str(tree), Rules(ignored=ignore_rules(rules)))
    return {os.fsdecode(entry.path) for entry in taken if entry.kind == "file"}


def gits(tree: Path, rules: list[str]) -> set[str]:
    excludes = tree.parent / "excludes"
    excludes.write_text("\n".join(rules) + "\n")
    git = ["git", "-c", f"core.excludesFile={excludes}", "-C", str(tree)]
    if not (tree / ".git").exists():
        subprocess.run([*git, "init", "-q"], check=True)
    listing = [*git, "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True)
    return set(listed.stdout.split("\0")) - {""}


@WITH_GIT
@pytest.mark.parametrize("rules", RULES, ids=" ".join)
def test_the_same_files_are_left_out_as_git_leaves_out(tree: Path, rules: list[str]) -> None:
    assert ours(tree, rules) == gits(tree, rules)


@WITH_GIT
def test_rules_made_at_random_work_as_in_git(tree: Path) -> None:
    rng = random.Random(1)
    for _ in range(200):
        rules = [
            rng.choice(("", "", "!"))
            + rng.choice(("", "/"))
            + "/".join(
                rng.choices(
                    ("a", "b", "c", "d", "x", "*", "**", "?", "a*", "doc", "*.txt"), k=rng.randint(1, 3)
                )
            )
            + rng.choice(("", "", "/"))
            for _ in range(rng.randint(1, 4))
        ]
        assert ours(tree, rules) == gits(tree, rules), rules


def test_names_that_are_no_text_are_matched_too() -> None:
    ignored = ignore_rules(["*.tmp"])
    assert ignored is not None
    assert ignored(os.fsdecode(b"\xff.tmp"), False)
    assert not ignored(os.fsdecode(b"\xff.txt"), False)


def test_no_rules_need_no_function() -> None:
    assert ignore_rules([]) is None


def test_a_malformed_rule_is_told_on_one_line() -> None:
    with pytest.raises(UsageError, match="is no rule of what to ignore") as raised:
        ignore_rules(["!"])
    assert "\n" not in str(raised.value)
