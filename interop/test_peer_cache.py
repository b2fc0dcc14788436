"""The cache of other people's programs: built once, whole or not at all."""

from __future__ import annotations

import subprocess
import threading

import peer_cache
import pytest


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """`recipe(build)` makes a recipe with one input, cached below the test's own directory."""
    monkeypatch.setenv("PEERSHELF_INTEROP_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "source"
    source.write_text("1")

    def make(build, tool="true"):
        return peer_cache.Recipe(name="program", tool=tool, inputs=(source,), build=build)

    return make


def write_program(directory):
    (directory / "program").write_text("built")


def test_a_second_request_builds_nothing(recipe):
    first = peer_cache.installed(recipe(write_program))
    assert (first / "program").read_text() == "built"
    assert peer_cache.installed(recipe(pytest.fail)) == first


def test_a_changed_input_is_another_build(recipe):
    made = recipe(write_program)
    first = peer_cache.installed(made)
    made.inputs[0].write_text("2")
    assert peer_cache.installed(made) != first


def test_requests_at_once_build_once(recipe):
    builds, together = [], threading.Barrier(4)

    def build(directory):
        builds.append(directory)
        write_program(directory)

    def request():
        together.wait()
        found.append(peer_cache.installed(recipe(build)))

    found = []
    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert len(set(found)) == 1


def test_a_failed_build_leaves_nothing_and_can_be_repeated(recipe):
    def fail(directory):
        write_program(directory)
        raise subprocess.CalledProcessError(1, "make", output=b"first\nno such module\n")

    with pytest.raises(peer_cache.PeerUnavailable, match="building program failed: no such module"):
        peer_cache.installed(recipe(fail))
    assert [path.name for path in peer_cache.cache_root().iterdir()] == ["program.lock"]
    assert (peer_cache.installed(recipe(write_program)) / "program").exists()


def test_what_an_interrupted_build_left_is_removed(recipe):
    left = peer_cache.cache_root() / ".program-interrupted"
    left.mkdir(parents=True)
    peer_cache.installed(recipe(write_program))
    assert not left.exists()


def test_without_the_tool_the_reason_names_it(recipe):
    with pytest.raises(peer_cache.PeerUnavailable, match="needs `no-such-tool`"):
        peer_cache.installed(recipe(write_program, tool="no-such-tool"))


def test_the_cache_is_outside_the_checkout(monkeypatch, tmp_path):
    monkeypatch.delenv("PEERSHELF_INTEROP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert peer_cache.cache_root() == tmp_path / "peershelf-interop"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert peer_cache.INTEROP not in peer_cache.cache_root().parents
