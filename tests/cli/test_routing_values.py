"""`routing get` and `put` where nobody is there to ask, and with what makes no sense."""

from __future__ import annotations

import pytest

NAME = "/ipns/k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8"


@pytest.fixture(scope="module")
def lonely(shelf_at, tmp_path_factory):
    """A daemon with a DHT, in which nobody else is; nothing that is asked of it here changes it."""
    shelf = shelf_at(tmp_path_factory.mktemp("lonely") / "shelf")
    shelf("config", "set", "Routing.Type", "dhtserver")
    with shelf.running():
        yield shelf


def test_without_peers_no_value_is_found_and_nobody_takes_one(lonely):
    assert "no value of /ipns/k51" in lonely.fails("routing", "get", NAME)


@pytest.mark.parametrize(
    "key", ["k51", "/ipns/", "/ipns/example.com", "/ipfs/bafkqaaa", f"{NAME}/path", "/x/y"]
)
def test_what_is_no_key_is_named(lonely, key):
    for words in (("get", key), ("put", key, "-")):
        assert "write one as" in lonely.fails("routing", *words, input=b"value")


def test_what_is_no_record_is_refused_with_the_reason(lonely, tmp_path):
    garbage = tmp_path / "record"
    for content, reason in (
        (b"garbage", "malformed"),
        (b"", "no signature"),
        (bytes(20_000), "over the limit"),
    ):
        garbage.write_bytes(content)
        error = lonely.fails("routing", "put", NAME, garbage)
        assert f"no valid value of {NAME}" in error
        assert reason in error


def test_a_daemon_is_needed(new_shelf):
    assert "daemon" in new_shelf().fails("routing", "get", NAME)
