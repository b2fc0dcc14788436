"""What users and machines get wrong, against the installed program: one line, and nothing harmed."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

ABSENT = "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
NOBODY = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"


@pytest.mark.parametrize("words", [["cat"], ["block", "get"], ["block", "stat"]])
@pytest.mark.parametrize("text", ["hello", "Qm123", "bafy", "/ipfs/", "\x1b[31mred"])
def test_what_is_no_cid(shelf, words: list[str], text: str) -> None:
    error = shelf.fails(*words, text)
    assert error.startswith("Error: ")
    assert error.isprintable()


@pytest.mark.parametrize(
    "words",
    [["add", "--nonsense", "x"], ["cat"], ["frobnicate"], ["swarm", "frobnicate"], ["--nonsense"]],
)
def test_words_that_do_not_fit_exit_with_2_and_one_line(shelf, words: list[str]) -> None:
    done = shelf.run(*words)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert done.stdout == b""


@pytest.mark.parametrize(
    "words",
    [
        ["add", "--hash", "md5", "x"],
        ["add", "--chunker", "rabin", "x"],
        ["cat", "--offset", "-1", ABSENT],
        ["--timeout", "soon", "cat", ABSENT],
    ],
)
def test_values_that_make_no_sense_exit_with_1_and_one_line(shelf, words: list[str]) -> None:
    done = shelf.run(*words)
    assert done.returncode == 1
    assert done.stderr.decode().count("\n") == 1
    assert done.stdout == b""


def test_unknown_codecs_and_hashes_of_blocks(shelf) -> None:
    for option in (("--cid-codec", "nonsense"), ("--mhtype", "nonsense"), ("--mhtype", "md5")):
        done = shelf.run("block", "put", *option, input=b"x")
        assert done.returncode in (1, 2)
        assert done.stderr.decode().count("\n") == 1
    assert shelf("refs", "local") == b""


def test_a_path_that_is_not_there_keeps_the_others_from_nothing(shelf, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    assert "nowhere" in shelf.fails("add", tmp_path / "nowhere")
    assert "nowhere" in shelf.fails("add", tmp_path / "there", tmp_path / "nowhere")
    shelf("add", tmp_path / "there")


def test_a_directory_says_what_to_do(shelf, tmp_path: Path) -> None:
    assert "directory" in shelf.fails("add", tmp_path)


def test_a_file_that_cannot_be_read(shelf, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0)
    if os.access(secret, os.R_OK):  # root reads everything; a device without a driver nobody can read
        secret.unlink()
        os.mknod(secret, 0o600 | 0o020000, os.makedev(240, 200))
    assert "secret" in shelf.fails("add", secret)


def test_a_cid_that_is_not_here(shelf) -> None:
    assert ABSENT in shelf.fails("cat", ABSENT)
    assert ABSENT in shelf.fails("--offline", "cat", ABSENT)


def test_a_cid_that_nobody_has_ends_at_the_timeout(daemons) -> None:
    asker, asked = daemons(), daemons()
    assert "no peer" in asker.fails("cat", "--timeout", "300ms", ABSENT)
    asker("swarm", "connect", asked.addresses[0])
    error = asker.fails("cat", "--timeout", "500ms", ABSENT)
    assert asked.addresses[0].rpartition("/")[2] in error
    assert "does not have it" in error


def test_an_address_that_refuses(daemons) -> None:
    node = daemons()
    assert "refused" in node.fails("swarm", "connect", NOBODY)
    for address in ("nonsense", "/ip4/127.0.0.1/tcp/1", "/ip4/300.0.0.1/tcp/1/p2p/x"):
        node.fails("swarm", "connect", address)
    assert node.text("swarm", "peers") == ""


def test_a_peer_that_is_not_connected(daemons) -> None:
    node = daemons()
    assert "was not found" in node.fails("ping", NOBODY.rpartition("/")[2])
    assert "refused" in node.fails("ping", NOBODY)
    assert "not connected" in node.fails("swarm", "disconnect", NOBODY)


def test_an_address_that_refuses_without_a_daemon(shelf) -> None:
    assert "refused" in shelf.fails("cat", "--peer", NOBODY, ABSENT)


def test_a_second_daemon_on_one_repo_names_the_first(shelf) -> None:
    with shelf.running():
        error = shelf.fails("daemon")
        assert f"process {shelf.daemon.pid}" in error
        assert shelf.text("id", "--json").startswith("{")


def test_two_daemons_cannot_have_one_api_address(new_shelf) -> None:
    first, second = new_shelf(), new_shelf()
    with first.running():
        second("config", "set", "Addresses.API", first.api)
        assert "Addresses.API" in second.fails("daemon")
    second("repo", "stat")


def test_a_daemon_that_died_leaves_nothing_that_disturbs(shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"kept")
    with shelf.running():
        cid = shelf.text("add", "-Q", tmp_path / "file")
        shelf.kill()
    assert (shelf.path / "api").exists()
    assert (shelf.path / "lock").exists()
    assert shelf("cat", cid) == b"kept"
    assert not (shelf.path / "api").exists(), "another program may have the port by now"
    assert "daemon" in shelf.fails("swarm", "peers")
    with shelf.running():
        assert shelf("cat", cid) == b"kept"
    assert not (shelf.path / "api").exists()


def test_commands_that_need_a_daemon_say_so(shelf) -> None:
    peer = NOBODY.rpartition("/")[2]
    for words in (
        ("swarm", "peers"),
        ("swarm", "connect", NOBODY),
        ("ping", peer),
        ("bitswap", "stat"),
        ("shutdown",),
    ):
        assert "node daemon" in shelf.fails(*words)


def test_a_pipe_that_closes_early_is_no_error(shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(20_000_000))
    cid = shelf.text("add", "-Q", tmp_path / "file")
    reading = shelf.start("cat", cid, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with reading:
        assert reading.stdout.read(10) == bytes(10)
        reading.stdout.close()
        assert reading.stderr.read() == b""


@pytest.mark.parametrize("with_daemon", [False, True])
def test_ctrl_c_ends_an_add_with_130_and_leaves_the_repo_whole(
    shelf, tmp_path: Path, with_daemon: bool
) -> None:
    def interrupt() -> None:
        pipe, feed = os.pipe()
        adding = shelf.start("add", "-", stdin=pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(pipe)
        os.write(feed, bytes(60_000))  # returns once the command reads: it is in the middle of adding
        os.write(feed, bytes(60_000))
        adding.send_signal(signal.SIGINT)
        output, error = adding.communicate(timeout=20)
        os.close(feed)
        assert adding.returncode == 130
        assert output == b""
        assert b"Traceback" not in error

    if with_daemon:
        with shelf.running():
            interrupt()
            assert shelf("refs", "local") == b""
    else:
        interrupt()
    (tmp_path / "file").write_bytes(b"after")
    assert shelf("cat", shelf.text("add", "-Q", tmp_path / "file")) == b"after"


def test_what_is_piped_in_is_added_without_a_path(shelf) -> None:
    cid = shelf.text("add", "-Q", input=b"piped")
    assert shelf("cat", cid) == b"piped"
    nothing = shelf.run("add", stdin=subprocess.DEVNULL)
    assert nothing.returncode == 2
    assert b"PATH is missing" in nothing.stderr


def test_a_daemon_that_is_told_to_end_while_it_starts_ends_cleanly(shelf) -> None:
    starting = shelf.start("daemon", "--log-level", "debug", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with starting:
        starting.stderr.readline()  # it has set up logging, and is on its way to the network
        starting.send_signal(signal.SIGTERM)
        starting.communicate(timeout=20)
    assert starting.returncode == 0
    assert not (shelf.path / "api").exists()
