"""The compact denylist format: what each form of a rule blocks and what it does not.

The CIDs and verdicts are those of the specification's examples and of its reference suite.
"""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.bases import encode_base58
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import parse_reference
from peershelf.node.denylists import denylist
from peershelf.node.denylists.denylist import Denylist
from peershelf.node.denylists.errors import DenylistRejected
from peershelf.node.denylists.subject import content, name

A = "bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq"
A_RAW = "bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq"
A_V0 = "QmesfgDQ3q6prBy2Kg2gKbW4MAGuWiRP2DVuGA5MZSERLo"
B = "Qmah2YDTfrox4watLCr3YgKyBwvjq8FJZEFdWY6WtJ3Xt2"
C = "QmUboz9UsQBDeS6Tug1U8jgoFkgYxyYood9NDyVURAY9pK"
OLD = "bafybeiefwqslmf6zyyrxodaxx4vwqircuxpza5ri45ws3y5a62ypxti42e"
NEW = "bafybeidjwik6im54nrpfg7osdvmx7zojl5oaxqel5cmsz46iuelwf5acja"
NEW_V0 = "QmVTF1yEejXd9iMgoRTFDxBv7HAz9kuZcQNBzHrceuK9HR"
BLAKE3 = "bafyb4ieqht3b2rssdmc7sjv2cy2gfdilxkfh7623nvndziyqnawkmo266a"
BLAKE3_HEX = "f01701e20903cf61d46521b05f926ba1634628d0bba8a7ffb5b6d5a3ca310682ca63b5ef0"

OLD_CID_RULE = "//d9d295bde21f422d471a90f2a37ec53049fdf3e5fa3ee2e8f20e10003da429e7"
OLD_PATH_RULE = "//3f8b9febd851873b3774b937cce126910699ceac56e72e64b866f8e258d09572"
NEW_RULE = "//QmX9dhRcQcKUw3Ws8485T5a9dtjrSCQaUAHnG4iK9i4ceM"
BLAKE3_RULE = "//gW813G35CnLsy7gRYYHuf63hrz71U1xoLFDVeV7actx6oX"


def read(*lines: str, report: Callable[[int, str], object] = lambda line, reason: None) -> Denylist:
    return denylist.read(io.BytesIO("\n".join(lines).encode()), report)


def blocks(rules: Denylist, path: str) -> bool:
    if path.startswith("/ipns/"):
        first, *rest = [part for part in path.removeprefix("/ipns/").split("/") if part]
        verdict = rules.judge(name(first, rest))
    else:
        verdict = rules.judge(content(*parse_reference(path)))
    return verdict is not None and verdict.is_blocked


@pytest.mark.parametrize(
    ("rules", "blocked", "free"),
    [
        ([f"/ipfs/{A}"], [A, A_RAW, A_V0], [f"{A}/below", f"{A_V0}/below", B]),
        ([f"/ipld/{A}"], [A, A_RAW], [B]),
        ([f"/ipfs/{B}/*"], [B, f"{B}/a", f"{B}/a/b", f"{B}/z/"], [A]),
        ([f"/ipfs/{B}/test*"], [f"{B}/test", f"{B}/test2", f"{B}/test/1"], [B, f"{B}/tes", f"{B}/1/test"]),
        ([f"/ipfs/{B}/test/*"], [f"{B}/test", f"{B}/test2", f"{B}/test/1"], [B, f"{B}/tes", f"{B}/1/test"]),
        ([f"/ipfs/{B}/a/b/"], [f"{B}/a/b", f"{B}/a/b/"], [B, f"{B}/a", f"{B}/a/b/c"]),
        ([f"/ipfs/{B}/a%20b%2F%2a"], [f"{B}/a b/*"], [f"{B}/a%20b", f"{B}/a b/c"]),
        ([f"/ipfs/{B}/a+b"], [f"{B}/a+b"], [f"{B}/a b"]),
        ([f"/ipfs/{B}/f%c3%bcr"], [f"{B}/für"], []),
        (
            [
                f"/ipfs/{C}/blocked*",
                f"!/ipfs/{C}/blockednot",
                f"!/ipfs/{C}/blocked/not",
                f"!/ipfs/{C}/blocked/exceptions*",
            ],
            [f"{C}/blocked", f"{C}/blocked2"],
            [f"{C}/blockednot", f"{C}/blocked/not", f"{C}/blocked/exceptions", f"{C}/blocked/exceptions/1"],
        ),
        ([OLD_CID_RULE], [OLD, f"{OLD}/"], [f"{OLD}/path", str(Cid(1, 0x55, Cid.parse(OLD).multihash))]),
        ([OLD_CID_RULE.upper().replace("//", "//")], [OLD], []),
        ([OLD_PATH_RULE], [f"{OLD}/path"], [OLD, f"{OLD}/path2"]),
        ([NEW_RULE], [NEW, NEW_V0, str(Cid(1, 0x55, Cid.parse(NEW).multihash))], [f"{NEW}/path", A]),
        ([BLAKE3_RULE], [f"{BLAKE3}/path", f"{BLAKE3_HEX}/path"], [BLAKE3, f"{BLAKE3}/path2"]),
        (
            ["/ipns/domain.example"],
            ["/ipns/domain.example"],
            ["/ipns/domain.example/x", "/ipns/other.example"],
        ),
        (
            ["/ipns/domain.example/x"],
            ["/ipns/domain.example/x"],
            ["/ipns/domain.example", "/ipns/other.example"],
        ),
        (
            ["/ipns/k51qzi5uqu5dhmzyv3zac033i7rl9hkgczxyl81lwoukda2htteop7d3x0y1mf"],
            [
                "/ipns/k51qzi5uqu5dhmzyv3zac033i7rl9hkgczxyl81lwoukda2htteop7d3x0y1mf",
                "/ipns/bafzaajaiaejcaotjfs57kieazxny5japcmy5p2pgv2cic77tu6ogghttvurnrufx",
                "/ipns/12D3KooWDkNqEJNmreF3NYYFK1ws7Ra2fuW6cHBTu567SPV3LdYA",
            ],
            ["/ipns/12D3KooWDkNqEJNmreF3NYYFK1ws7Ra2fuW6cHBTu567SPV3LdYA/path"],
        ),
        (
            [
                "//6ef262a67f2c7caa9722b0fe46aced2f1559c749eab2bcf2f2701f43f802e900",
                "//fb5a70b1aade810d21e8195a0da05f40ebd099e4b4d6bf088dc604e4fcf34263",
            ],
            [
                "/ipns/k51qzi5uqu5dixwsch9wpd9rolqby1m0uqj5hhxwtxal0dwltastfmh01dlniq",
                "/ipns/bafzaajaiaejca3vrvdzmu4qntwa2pn6apsd4ug5k63ckdyhnd3g6vdvgvujdw62s",
                "/ipns/very-bad-example.eth",
            ],
            ["/ipns/very-good-example.eth"],
        ),
        (
            [
                "//QmX6zeaAb8mC285YbXe4ac7LmX3jvrHBiFrw8kNnCM1bk4",
                "//QmcwfDuZYijxztHVR7w71WtdDaETsrGUU3ARWbNiYD3Hhp",
                "//QmQouNeftXbxGRt4U8s838diCuMPPHCfpHTR5w8bRREs9d",
            ],
            [
                "/ipns/my.domain.com",
                "/ipns/my.domain2.com/path",
                "/ipns/bafzaajaiaejca3vrvdzmu4qntwa2pn6apsd4ug5k63ckdyhnd3g6vdvgvujczuoq/mypath",
            ],
            ["/ipns/my.domain2.com", "/ipns/my.domain2.com/path2"],
        ),
    ],
)
def test_what_a_rule_blocks(rules: list[str], blocked: list[str], free: list[str]) -> None:
    listed = read(*rules)
    assert listed.rules == len(rules)
    assert [path for path in blocked if not blocks(listed, path)] == []
    assert [path for path in free if blocks(listed, path)] == []


@pytest.mark.parametrize("mark", ["!", "+", "-"])
@pytest.mark.parametrize("rule", [f"/ipfs/{A}", f"/ipfs/{A}/*", OLD_CID_RULE, NEW_RULE])
def test_the_last_rule_wins_whatever_its_form(mark: str, rule: str) -> None:
    path = {OLD_CID_RULE: OLD, NEW_RULE: NEW}.get(rule, A)
    clear = f"/ipfs/{path}"
    for forbids, allows in ((rule, mark + clear), (clear, mark + rule)):
        assert not blocks(read(forbids, allows), path)
        assert blocks(read(allows, forbids), path)
        assert blocks(read(forbids, allows, forbids), path)


@pytest.mark.parametrize(
    "line",
    [
        "/ipfs/",
        "/ipfs/nothing",
        f"/ipfs/{A}*",
        f"/ipfs/{A}/50%",
        "/path/alone",
        "//",
        "//abc",
        OLD_CID_RULE[:-1],
        "//" + encode_base58(b"\x11\x14" + bytes(20)),
        "/ipns/",
        "/ipns/domain.example*",
        "name: a list",
        "!",
    ],
)
def test_a_malformed_line_is_told_and_the_rest_holds(line: str) -> None:
    told: list[tuple[int, str]] = []
    listed = read(
        "# a comment", line, "", f"/ipfs/{A}", report=lambda number, why: told.append((number, why))
    )
    assert [number for number, _ in told] == [2]
    assert told[0][1]
    assert (listed.rules, listed.malformed) == (1, 1)
    assert blocks(listed, A)


@pytest.mark.parametrize(
    "cid",
    [
        "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "bafyaabakaieac",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bafkqaaa",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
    ],
)
def test_nothing_can_forbid_what_is_empty(cid: str) -> None:
    told: list[int] = []
    listed = read(f"/ipfs/{cid}", f"/ipfs/{cid}/*", report=lambda line, why: told.append(line))
    assert told == [1, 2]
    assert not blocks(listed, cid)


def test_hints_of_the_header_hold_unless_the_rule_has_its_own() -> None:
    listed = read(
        "version: 1",
        "name: 'A list'",
        "author: somebody@example.com # not me",
        "description: >",
        "  of several: lines",
        "hints:",
        "  status: 410",
        '  reason: "none"',
        "---",
        f"/ipfs/{A}",
        f"/ipfs/{B}  reason=spam other:1",
    )
    assert (listed.header.name, listed.header.author) == ("A list", "somebody@example.com")
    verdict = listed.judge(content(Cid.parse(A)))
    assert verdict is not None
    assert (verdict.line, verdict.hints) == (10, "status=410 reason=none")
    other = listed.judge(content(Cid.parse(B)))
    assert other is not None
    assert (other.line, other.hints) == (11, "reason=spam other:1 status=410")


def test_a_separator_alone_is_an_empty_header() -> None:
    assert blocks(read("---", f"/ipfs/{A}"), A)


@pytest.mark.parametrize("header", [["version: 2"], [f"/ipfs/{A}", "name: x"]])
def test_a_list_with_a_header_that_is_none_is_rejected_whole(header: list[str]) -> None:
    with pytest.raises(DenylistRejected, match=r"version|rule"):
        read(*header, "---", f"/ipfs/{B}")


def test_a_separator_too_far_down_ends_no_header() -> None:
    told: list[int] = []
    above = ["# " + "x" * 1000] * 1100
    listed = read(f"/ipfs/{A}", *above, "---", f"/ipfs/{B}", report=lambda line, why: told.append(line))
    assert told == [1102]
    assert blocks(listed, A)
    assert blocks(listed, B)


def test_a_line_too_long_is_passed_over_and_counted() -> None:
    told: list[int] = []
    longest = f"/ipfs/{A} hint=".ljust((2 << 20) - 1, "x")
    listed = read(longest, longest + "x", f"/ipfs/{B}", report=lambda line, why: told.append(line))
    assert told == [2]
    assert listed.rules == 2
    verdict = listed.judge(content(Cid.parse(B)))
    assert verdict is not None
    assert verdict.line == 3


def test_line_ends_of_windows_and_a_last_line_without_one() -> None:
    listed = denylist.read(io.BytesIO(f"/ipfs/{A}\r\n/ipfs/{B}/x".encode()))
    assert blocks(listed, A)
    assert blocks(listed, f"{B}/x")


LINES = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda start, rest: start + rest,
        st.sampled_from(
            [b"/ipfs/", b"!/ipns/", b"//", b"/ipfs/" + A.encode(), OLD_CID_RULE.encode(), b"hints:"]
        ),
        st.binary(max_size=70),
    ),
    st.sampled_from([b"---", b"version: 1", f"/ipfs/{A}".encode()]),
)


@given(st.lists(LINES, max_size=8))
def test_no_bytes_make_the_parser_raise_anything_else(lines: list[bytes]) -> None:
    try:
        listed = denylist.read(io.BytesIO(b"\n".join(lines)))
    except DenylistRejected:
        return
    listed.judge(content(Cid.parse(A), ["x"]))


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60))
def test_the_last_line_of_many_decides(entries: list[tuple[int, bool]]) -> None:
    cids = [Cid.v1(0x55, multihash.multihash(multihash.SHA2_256, bytes([number]))) for number, _ in entries]
    listed = read(
        *(f"{'!' if allows else ''}/ipfs/{cid}" for cid, (_, allows) in zip(cids, entries, strict=True))
    )
    last = dict(zip(cids, ((line, not allows) for line, (_, allows) in enumerate(entries, 1)), strict=True))
    for cid, (line, is_blocked) in last.items():
        verdict = listed.judge(content(cid))
        assert verdict is not None
        assert (verdict.line, verdict.is_blocked) == (line, is_blocked)
