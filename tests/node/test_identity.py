import base64
from pathlib import Path

import pytest

from peershelf.node import identity
from peershelf.node.errors import IdentityError, UsageError
from peershelf.node.identity import Identity
from peershelf.node.peer_ids import parse_peer_id, public_key_text
from peershelf.protocols.transport import PeerId

# A key that Kubo 0.43.0 made with `ipfs init`, and the peer ID that it printed for it.
KUBO_KEY = "CAESQLFl+ML+U1/sV9tWGbwHK954sHoLKhVuVWLN1nP8hzHnMuiMiU+Jn1j8y7wiTmwkMru+3bd9c+PWFr2C5Av40TY="
KUBO_PEER_ID = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"


def test_a_key_that_kubo_made_gives_the_peer_id_that_kubo_prints() -> None:
    assert Identity.decode(KUBO_KEY).peer_id == KUBO_PEER_ID


def test_kubos_encoding_is_what_we_write() -> None:
    assert Identity.decode(KUBO_KEY).encode() == KUBO_KEY


def test_a_key_of_the_bare_seed_is_the_same_identity() -> None:
    whole = Identity.decode(KUBO_KEY)
    short = base64.b64encode(b"\x08\x01\x12\x20" + whole.seed).decode()
    assert Identity.decode(short) == whole


def test_a_public_half_of_another_key_is_refused() -> None:
    mixed = Identity(Identity.generate().seed, Identity.generate().public_key)
    with pytest.raises(IdentityError, match="does not belong"):
        Identity.decode(mixed.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%",
        base64.b64encode(b"\x08\x00\x12\x01x").decode(),
        base64.b64encode(b"\x08\x01\x12\x03abc").decode(),
    ],
)
def test_what_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(IdentityError):
        Identity.decode(text)


def test_the_file_is_private_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    first = Identity.generate()
    identity.save(path, first)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        identity.save(path, Identity.generate())
    assert identity.load(path) == first


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    with pytest.raises(IdentityError, match=r"identity\.key is missing"):
        identity.load(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(IdentityError, match=r"identity\.key"):
        identity.load(path)


def test_the_secret_is_not_in_the_repr() -> None:
    made = Identity.generate()
    assert repr(made) == f"Identity({made.peer_id})"


@pytest.mark.parametrize("form", ["{}", "/p2p/{}", "/ip4/127.0.0.1/tcp/4001/p2p/{}"])
def test_peer_ids_are_read_in_the_forms_that_users_write(form: str) -> None:
    assert parse_peer_id(form.format(KUBO_PEER_ID)) == KUBO_PEER_ID


def test_a_peer_id_is_read_in_its_cid_form() -> None:
    assert parse_peer_id("k51qzi5uqu5dhg9mn53is9sh4e1nlnsa4e7bcgjxovl64oczg52pzrlt5wbu46") == KUBO_PEER_ID


@pytest.mark.parametrize("text", ["", "1", "12D3Koo", "/ip4/127.0.0.1/tcp/1", "Qm0", "bafkqaaa", "\x1b[2J"])
def test_what_is_no_peer_id_is_refused_in_printable_words(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_peer_id(text)
    assert str(raised.value).isprintable()


def test_the_public_key_is_read_out_of_the_peer_id() -> None:
    key = base64.b64decode(public_key_text(PeerId(KUBO_PEER_ID)))
    assert key[4:] == Identity.decode(KUBO_KEY).public_key


def test_a_hashed_peer_id_tells_no_key() -> None:
    assert public_key_text(PeerId("QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ")) == ""
