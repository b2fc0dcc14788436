"""Many small files from a connected peer: in one session, and by one command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from bench.bench import Bench
from bench.data import Tree, sha256_of
from bench.process import ProgramFailed
from bench.programs.kubo import KuboRepo
from bench.programs.ours import OurRepo
from bench.programs.repo import Repo
from bench.results import Result, Target
from bench.rows.row import Row
from bench.rows.seeding import seeded, write_list

OURS, KUBO = "peershelf", "kubo"


def session(bench: Bench) -> Iterator[Result]:
    """Fetch all files in one session: `pin add` of their directory, or the same in the library."""
    tree = bench.tree(bench.count(10_000, 500), 4096)
    kubo, kubo_root = seeded(bench, bench.kubo(), tree)
    ours, our_root = seeded(bench, bench.ours(), tree)
    by_command = our_root is not None and ours.can("pin add")

    def of_ours() -> dict[str, float]:
        if by_command:
            return _pin(bench, ours, our_root, tree)
        figures = fetch_blocks(bench, ours, tree.cids, tree.size)
        return {"files/s": figures["blocks/s"]}

    measured = bench.take_turns({OURS: of_ours, KUBO: partial(_pin, bench, kubo, kubo_root, tree)})
    how = "pin add" if by_command else "library; Kubo: pin add"
    work = f"{len(tree.files):,} × 4 KiB from a peer, one session ({how})"
    series = measured.series(OURS, "files/s"), measured.series(KUBO, "files/s")
    yield Result("files-session", work, "files/s", *series, Target(2, 4))


def _pin(bench: Bench, provider: Repo, root: str | None, tree: Tree) -> dict[str, float]:
    fetcher = bench.repo(provider.name)
    fetcher.start()
    fetcher.connect(provider)
    done = fetcher.run("pin", "add", str(root))
    here = set(fetcher.run("refs", "-r", "--offline", str(root)).text.split())
    if missing := set(tree.cids) - here:
        raise ProgramFailed(f"{len(missing)} files are not there after pin add")
    fetcher.remove()
    return {"files/s": len(tree.files) / done.seconds}


def fetch_blocks(bench: Bench, provider: OurRepo, cids: tuple[str, ...], size: int) -> dict[str, float]:
    """Fetch blocks in one session of a node in a process of its own."""
    repo = bench.ours()
    before = provider.running.cpu()
    done = bench.run_worker("fetch_many", repo.path, provider.address, write_list(bench, cids))
    answer = json.loads(done.text)
    if answer["bytes"] != size:
        raise ProgramFailed(f"{answer['bytes']:,} bytes arrived, not {size:,}")
    repo.remove()
    return {
        "blocks/s": len(cids) / answer["seconds"],
        "blocks/CPU-s from": len(cids) / max(provider.running.cpu() - before, 0.01),
        "blocks/CPU-s to": len(cids) / max(answer["cpu"], 0.01),
    }


def command(bench: Bench) -> Iterator[Result]:
    """Fetch 500 files by one command: `get` of their directory, `cat` of all their CIDs.

    Nothing is removed before the end: ext4 takes several times as long to make files while it passes over the
    inodes of those that were removed within the last five seconds, here by the contender before.
    """
    tree = bench.tree(bench.count(500, 50), 4096)
    kubo, kubo_root = seeded(bench, bench.kubo(), tree)
    ours, our_root = seeded(bench, bench.ours(), tree)
    by_get = our_root is not None and ours.can("get")
    contenders = {
        "peershelf cat": partial(_cat, bench, ours, tree),
        "kubo get": partial(_get, bench, kubo, kubo_root, tree),
        "kubo cat": partial(_cat, bench, kubo, tree),
    }
    if by_get:
        contenders["peershelf get"] = partial(_get, bench, ours, our_root, tree)
    measured = bench.take_turns(contenders)
    best = "peershelf get" if by_get else "peershelf cat"
    work = f"{len(tree.files)} × 4 KiB from a peer, one command"
    for mine, theirs, target in ((best, "kubo get", Target(40, 100)), ("peershelf cat", "kubo cat", None)):
        series = measured.series(mine, "files/s"), measured.series(theirs, "files/s")
        yield Result("files-command", f"{work} ({mine.split()[1]})", "files/s", *series, target)


def _cat(bench: Bench, provider: OurRepo | KuboRepo, tree: Tree) -> dict[str, float]:
    fetcher = bench.repo(provider.name)
    fetcher.start()
    fetcher.connect(provider)
    with bench.sink.expecting(tree.size, tree.sha256) as output:
        done = fetcher.run("cat", *tree.cids, output=output)
    fetcher.stop()
    return {"files/s": len(tree.files) / done.seconds}


def _get(bench: Bench, provider: Repo, root: str | None, tree: Tree) -> dict[str, float]:
    fetcher = bench.repo(provider.name)
    fetcher.start()
    fetcher.connect(provider)
    place = bench.fresh_path("got")
    done = fetcher.run("get", "-o", place, str(root))
    if sha256_of(sorted(path for path in place.rglob("*") if path.is_file())) != tree.sha256:
        raise ProgramFailed("the files that came out have a wrong hash")
    fetcher.stop()
    return {"files/s": len(tree.files) / done.seconds}


def tiny_blocks(bench: Bench) -> Iterator[Result]:
    """Blocks of 1 KiB in one session, us to us: what a block costs that is hardly any bytes."""
    tree = bench.tree(bench.count(20_000, 500), 1024)
    provider, _ = seeded(bench, bench.ours(), tree)
    measured = bench.take_turns(
        {OURS: lambda: fetch_blocks(bench, provider, tree.cids, tree.size)},
    )
    work = f"{len(tree.cids):,} blocks of 1 KiB, us → us, one session"
    yield Result("blocks-1k", work, "blocks/s", measured.series(OURS, "blocks/s"))
    for side, who in (("from", "provider"), ("to", "fetcher")):
        series = measured.series(OURS, f"blocks/CPU-s {side}")
        yield Result("blocks-1k", f"… blocks per CPU second of the {who}", "blocks/CPU-s", series)


ROWS = (
    Row("files-session", "many small files from a peer, one session", session),
    Row("files-command", "500 small files from a peer, one command", command),
    Row("blocks-1k", "blocks of 1 KiB a second, us to us", tiny_blocks),
)
