"""Files that commands hand over to a daemon of their own repo: what is added, and where `cat` writes."""

from __future__ import annotations

import os
import pty
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli.exchange import Exchange

KIB, MIB = 1 << 10, 1 << 20
ABSENT = "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
SIZES = (0, 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, MIB, MIB + 1, 20 * MIB)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, shelf_at: Callable[[Path], Any]) -> Iterator[Any]:
    """A repo and its daemon, for all tests here."""
    with shelf_at(tmp_path_factory.mktemp("repo") / "shelf").running() as shelf:
        yield shelf


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(20 * MIB)


@pytest.fixture(scope="module")
def cid(node: Any, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("content") / "file"
    path.write_bytes(content)
    return node.text("add", "-Q", path)


def holds(node: Any, path: Path) -> bool:
    """Whether the daemon has a file open."""
    found = []
    for link in Path(f"/proc/{node.daemon.pid}/fd").iterdir():
        try:
            found.append(link.readlink())
        except FileNotFoundError:
            continue
    return path in found


def wait_until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def cat_into(node: Any, path: Path, *words: str, mode: str = "wb", **options: Any) -> Any:
    with path.open(mode) as output:
        return subprocess.run(
            [*node.program, "cat", *words],
            env=node.environment,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            **options,
        )


def test_what_is_handed_over_has_the_cids_of_what_is_sent_and_comes_back(
    node: Any, content: bytes, tmp_path: Path
) -> None:
    paths = [tmp_path / str(size) for size in SIZES]
    for path, size in zip(paths, SIZES, strict=True):
        path.write_bytes(content[:size])
    handed = node.text("add", "-q", *paths).split()
    assert handed == node.text("add", "-q", "--api", node.api, *paths).split()
    for path, cid in zip(paths, handed, strict=True):
        assert cat_into(node, tmp_path / "out", cid).returncode == 0
        assert (tmp_path / "out").read_bytes() == path.read_bytes()
    assert cat_into(node, tmp_path / "out", *handed, "--offset", "5", "--length", "3000000").returncode == 0
    whole = b"".join(path.read_bytes() for path in paths)
    assert (tmp_path / "out").read_bytes() == whole[5:3000005]


def test_large_files_of_a_tree_are_handed_over_in_their_places(
    node: Any, content: bytes, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    for number in range(40):
        (tree / "deep" / f"large{number:02d}").write_bytes(content[number : number + 300 * KIB])
        (tree / f"small{number:02d}").write_bytes(content[number : number + 10])
    assert node.text("add", "-rQ", tree) == node.text("add", "-rQ", "--api", node.api, tree)


def test_the_daemon_writes_where_the_output_stands(
    node: Any, cid: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before")
    assert cat_into(node, path, cid, mode="ab").returncode == 0
    assert path.read_bytes() == b"before" + content
    with path.open("wb") as output:
        for part in ("-l100", "-o100"):
            words = [*node.program, "cat", part, cid]
            subprocess.run(words, env=node.environment, stdout=output, check=True)
        assert os.lseek(output.fileno(), 0, os.SEEK_CUR) == len(content)
    assert path.read_bytes() == content


def test_a_pipe_is_written_by_the_command(node: Any, cid: str, content: bytes) -> None:
    assert node("cat", cid) == content


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cat_that_is_ended_writes_nothing_more(
    node: Any, cid: str, content: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "out"
    with path.open("wb") as output:
        process = node.start("cat", cid, ABSENT, stdout=output)
    wait_until(lambda: path.stat().st_size == len(content))
    assert holds(node, path)
    process.send_signal(number)
    assert process.wait(20) == (130 if number == signal.SIGINT else -number)
    if number != signal.SIGINT:
        wait_until(lambda: not holds(node, path))
    assert not holds(node, path)
    assert path.read_bytes() == content


def test_ctrl_c_while_the_daemon_writes(node: Any, cid: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as output:
        process = node.start("cat", *[cid] * 400, stdout=output)
    wait_until(lambda: path.stat().st_size > 0)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    size = path.stat().st_size
    assert 0 < size < 400 * len(content)
    assert not holds(node, path)
    node("id")
    assert path.stat().st_size == size
    written = path.read_bytes()
    assert written == (content * (size // len(content) + 1))[:size]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_add_that_is_ended_reads_no_further_and_pins_nothing(
    node: Any, tmp_path: Path, number: signal.Signals
) -> None:
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(1 << 40)
    pins = node("pin", "ls")
    process = node.start("add", endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: holds(node, endless))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130 if number == signal.SIGINT else -number, b"", b"")
    wait_until(lambda: not holds(node, endless))
    assert node("pin", "ls") == pins


def test_a_file_that_is_cut_while_it_is_read_ends_there(node: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        process = node.start("add", "-Q", path, stdout=subprocess.PIPE)
        wait_until(lambda: holds(node, path))
        file.truncate(MIB)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert node("ls", "--size", out.decode().strip()) is not None


@pytest.mark.parametrize("words", [(ABSENT, "--offline"), (ABSENT, "--timeout", "300ms", "-v")])
def test_a_failure_in_the_middle_is_told_as_through_a_pipe(
    node: Any, tmp_path: Path, words: tuple[str, ...]
) -> None:
    content = os.urandom(300)
    cid = node.text("add", "-Q", "-", input=content)
    piped = node.run("cat", cid, *words)
    done = cat_into(node, tmp_path / "out", cid, *words)
    assert done.returncode == piped.returncode == 1
    assert done.stderr == piped.stderr
    assert ABSENT.encode() in done.stderr
    assert (tmp_path / "out").read_bytes() == piped.stdout == content
    assert cat_into(node, tmp_path / "out", *words).returncode == 1
    assert (tmp_path / "out").read_bytes() == b""


def test_an_output_that_cannot_be_written_is_the_outputs_failure(node: Any, cid: str, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    done = cat_into(node, tmp_path / "out", cid, mode="rb")
    assert (done.returncode, done.stderr) == (
        1,
        b"Error: cannot write to standard output: Bad file descriptor\n",
    )


def test_the_commands_own_limit_of_file_sizes_is_kept_to(node: Any, cid: str, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, resource.RLIM_INFINITY))

    done = cat_into(node, tmp_path / "out", cid, preexec_fn=limit)
    assert (done.returncode, done.stderr) == (
        1,
        b"Error: cannot write to standard output: File too large\n",
    )
    assert (tmp_path / "out").stat().st_size == MIB


def test_a_terminal_sees_how_far_the_daemon_is(node: Any, cid: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with (tmp_path / "out").open("wb") as output:
        process = node.start("cat", cid, ABSENT, stdout=output, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"20.0 MiB" not in shown:
        shown += os.read(ours, 1000)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    os.close(ours)


@pytest.mark.parametrize("stale", [False, True])
def test_without_its_socket_a_daemon_is_sent_files(
    node: Any, cid: str, content: bytes, tmp_path: Path, stale: bool
) -> None:
    (tmp_path / "file").write_bytes(content)
    sock = node.path / "api.sock"
    sock.rename(tmp_path / "aside")
    if stale:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(sock))
    assert node.text("add", "-Q", tmp_path / "file") == cid
    assert cat_into(node, tmp_path / "out", cid).returncode == 0
    assert (tmp_path / "out").read_bytes() == content
    (tmp_path / "aside").rename(sock)


def test_a_daemon_may_have_answered_and_closed_before_the_command_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, theirs = socket.socketpair()

    def send(sock: socket.socket, data: bytes, descriptor: int) -> int:
        sent = socket.send_fds(sock, [data], [descriptor])
        theirs.recv(100)
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        theirs.close()
        return sent

    monkeypatch.setattr("peershelf.cli.handing.send", send)
    with ours, (tmp_path / "out").open("wb") as output:
        pieces: list[bytes] = []
        exchange = Exchange(ours, lambda _, piece: pieces.append(bytes(piece)), None)
        assert exchange.run(b"POST", None, output.fileno()).complete
    assert pieces == [b"ok"]
