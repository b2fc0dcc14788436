"""TLS records: OpenSSL is given one at a time, however they came."""

import itertools
import ssl

from hypothesis import given
from hypothesis import strategies as st
from libp2p.crypto.ed25519 import create_new_key_pair

from peershelf.protocols.libp2p.security.tls import TlsChannel
from peershelf.protocols.libp2p.security.tls_codec import RecordEnds, TlsCodec

TICKETS = 20


def record(size: int) -> bytes:
    return b"\x17\x03\x03" + size.to_bytes(2, "big") + bytes(size)


@given(
    st.lists(st.integers(0, 300), max_size=8),
    st.lists(st.integers(min_value=0, max_value=2_000), max_size=12),
)
def test_pieces_end_where_records_do_however_they_came(sizes: list[int], places: list[int]) -> None:
    data = b"".join(map(record, sizes))
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    ends = RecordEnds()
    pieces = [bytes(piece) for start, end in itertools.pairwise(edges) for piece in ends.cut(data[start:end])]
    assert b"".join(pieces) == data
    cuts = set(itertools.accumulate(map(len, pieces)))
    assert set(itertools.accumulate(len(record(size)) for size in sizes)) <= cuts
    assert cuts <= set(itertools.accumulate(len(record(size)) for size in sizes)) | set(edges)


def test_records_that_carry_nothing_are_told_one_by_one() -> None:
    """As many tickets as a server likes follow its handshake."""
    server, client = (
        TlsChannel(create_new_key_pair(), [])._context(server_side=side) for side in (True, False)
    )
    server.num_tickets = TICKETS
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    for session in itertools.cycle((ours, theirs)):
        if session in waiting:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(session)
        if not waiting:
            break
    theirs.write(b"hello")
    came = to_client.read()
    opened = list(TlsCodec(ours, to_client, to_server).open(came))
    assert len(opened) > TICKETS
    assert b"".join(opened) == b"hello"
