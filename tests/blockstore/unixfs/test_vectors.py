"""CIDs that other programs give the same bytes; tests/vectors says where each comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from peershelf.blockstore.multihash import hash_code
from peershelf.blockstore.unixfs.chunker import parse_chunker
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.profiles import PROFILES, UNIXFS_V0_2015, with_options
from peershelf.blockstore.unixfs.tree import TreeImporter

MIB = 1 << 20


def key_stream(seed: str, size: int) -> Iterator[bytes]:
    cipher = Cipher(algorithms.ChaCha20(hashlib.sha256(seed.encode()).digest(), bytes(16)), mode=None)
    encryptor = cipher.encryptor()
    zeros = bytes(MIB)
    for start in range(0, size, MIB):
        yield encryptor.update(zeros[: size - start])


def test_every_file_of_the_profiles_specification_gets_its_cid(vectors: Callable[[str], Any]) -> None:
    files = vectors("unixfs.json")["files"]
    assert len(files) == 8
    for file in files:
        with Importer(lambda _: None, PROFILES[file["profile"]]) as importer:
            for piece in key_stream(file["seed"], file["size"]):
                importer.write(piece)
            imported = importer.finish()
        assert (str(imported.cid), imported.size) == (file["cid"], file["size"])


def test_every_directory_of_the_profiles_specification_gets_its_cid(
    vectors: Callable[[str], Any], shelf: Any
) -> None:
    alphabet, directories = (vectors("unixfs.json")[key] for key in ("alphabet", "directories"))
    assert len(directories) == 4
    for directory in directories:
        profile = PROFILES[directory["profile"]]
        file = shelf.add(b"x", profile)
        tree = TreeImporter(lambda blocks: shelf.put(*blocks), profile)
        for name in names_of(directory, alphabet):
            tree.add_file((name,), file)
        [(_, imported)] = tree.finish()
        assert str(imported.cid) == directory["cid"]
        assert (imported.blocks > 1) == directory["hamt"]


def names_of(directory: Any, alphabet: str) -> Iterator[bytes]:
    last = directory["entries"] - 1
    stream = b"".join(key_stream(directory["seed"], last * directory["name_length"] + 256))
    letters = bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))
    for number in range(directory["entries"]):
        start = number * directory["name_length"]
        length = directory["name_length" if number < last else "last_name_length"]
        yield stream[start : start + length].translate(letters)


OPTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "--chunker": lambda text: {"chunk_size": parse_chunker(text)},
    "--max-file-links": lambda text: {"max_links": int(text)},
    "--cid-version": lambda text: {"cid_version": int(text)},
    "--raw-leaves": lambda text: {"raw_leaves": text == "true"},
    "--hash": lambda text: {"hash_code": hash_code(text)},
}


def test_every_file_gets_the_cid_that_kubo_gives_it(
    vectors: Callable[[str], Any], some_bytes: Callable[[int], bytes]
) -> None:
    for file in vectors("kubo_files.json")["files"]:
        options: dict[str, Any] = {}
        for option in file["options"]:
            name, _, value = option.partition("=")
            options |= OPTIONS[name](value)
        with Importer(lambda _: None, with_options(UNIXFS_V0_2015, **options)) as importer:
            importer.write(some_bytes(file["size"]))
            assert str(importer.finish().cid) == file["cid"], file


@pytest.mark.parametrize(
    ("profile", "cid"),
    [
        ("unixfs-v0-2015", "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"),
        ("unixfs-v1-2025", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    ],
)
def test_the_empty_file_has_its_well_known_cid(profile: str, cid: str) -> None:
    with Importer(lambda _: None, PROFILES[profile]) as importer:
        assert str(importer.finish().cid) == cid
