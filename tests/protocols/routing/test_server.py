"""What is answered, and what is taken from whom."""

from __future__ import annotations

import random

import pytest
from ipns_records import ed25519
from kad_world import new_peer

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import key_of_peer, peer_bytes
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Contact, Kind, Message, encode
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.record import decode_record, encode_record
from peershelf.protocols.routing.kad.scope import LAN, MAX_ADDRESS_BYTES, WAN, Scope
from peershelf.protocols.routing.kad.server import Answerer
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.routing.kad.values import Values

RNG = random.Random(1)
ASKER, OTHER = new_peer(RNG), new_peer(RNG)
NOW = 1_800_000_000.0
OWNER = ed25519()
KEY = b"\x12\x20" + bytes(32)
TCP = bytes([6, 15, 161])
NEAR, PUBLIC = bytes([4, 192, 168, 1, 7]) + TCP, bytes([4, 8, 8, 8, 8]) + TCP
NAMED = bytes([0x36, 7]) + b"ex.ampl" + TCP


def an_answerer(scope: Scope = LAN, *, table: RoutingTable | None = None) -> Answerer:
    return Answerer(scope, table or RoutingTable(new_peer(RNG)), ProviderRecords(), Values(lambda: NOW))


def providers(answerer: Answerer, key: bytes = KEY) -> tuple[Contact, ...]:
    answer = answerer.answer(OTHER, Message(Kind.GET_PROVIDERS, key), 1.0)
    assert answer is not None
    return answer.providers


def test_only_the_asker_announces_itself():
    answerer = an_answerer()
    both = (Contact(OTHER, (NEAR,)), Contact(ASKER, (NEAR,)))
    assert answerer.answer(ASKER, Message(Kind.ADD_PROVIDER, KEY, providers=both), 0.0) is None
    assert providers(answerer) == (Contact(ASKER, (NEAR,)),)


@pytest.mark.parametrize(("scope", "kept"), [(LAN, (NEAR,)), (WAN, (PUBLIC, NAMED))])
def test_addresses_of_the_other_network_are_not_kept(scope, kept):
    answerer = an_answerer(scope)
    told = Contact(ASKER, (NEAR, PUBLIC, NAMED, b"", b"\x04\x7f", b"\xff" * 20))
    answerer.answer(ASKER, Message(Kind.ADD_PROVIDER, KEY, providers=(told,)), 0.0)
    assert providers(answerer) == (Contact(ASKER, kept),)


def test_without_an_address_no_record_is_kept():
    answerer = an_answerer(WAN)
    answerer.answer(ASKER, Message(Kind.ADD_PROVIDER, KEY, providers=(Contact(ASKER, (NEAR,)),)), 0.0)
    assert providers(answerer) == ()


def test_of_too_many_addresses_the_first_are_kept():
    answerer = an_answerer()
    many = tuple(NEAR + b"\x2d" * number for number in range(90))
    answerer.answer(ASKER, Message(Kind.ADD_PROVIDER, KEY, providers=(Contact(ASKER, many),)), 0.0)
    ((_, kept),) = [(one.peer, one.addresses) for one in providers(answerer)]
    assert kept == many[: len(kept)]
    assert MAX_ADDRESS_BYTES - 60 < sum(map(len, kept)) <= MAX_ADDRESS_BYTES


def put(key: bytes, value: bytes, *, within: bytes | None = None) -> Message:
    return Message(Kind.PUT_VALUE, key, record=encode_record(key if within is None else within, value))


def value_of(answerer: Answerer, key: bytes, now: float = 0.0) -> bytes | None:
    answer = answerer.answer(OTHER, Message(Kind.GET_VALUE, key), now)
    assert answer is not None
    return None if answer.record is None else decode_record(answer.record, key)


def test_a_value_is_kept_and_given_to_who_asks():
    answerer = an_answerer()
    assert value_of(answerer, OWNER.key) is None
    record = OWNER.record(1)
    assert answerer.answer(ASKER, put(OWNER.key, record), 0.0) == put(OWNER.key, record)
    assert value_of(answerer, OWNER.key) == record
    assert value_of(answerer, ed25519(2).key) is None


def test_a_better_value_stays_and_is_what_the_asker_hears():
    answerer = an_answerer()
    old, new = OWNER.record(1), OWNER.record(2)
    answerer.answer(ASKER, put(OWNER.key, new), 0.0)
    assert answerer.answer(OTHER, put(OWNER.key, old), 0.0) == put(OWNER.key, new)
    assert value_of(answerer, OWNER.key) == new
    newer = OWNER.record(3)
    answerer.answer(OTHER, put(OWNER.key, newer), 0.0)
    assert value_of(answerer, OWNER.key) == newer


@pytest.mark.parametrize(
    "message",
    [
        Message(Kind.PUT_VALUE, OWNER.key),
        Message(Kind.PUT_VALUE, OWNER.key, record=OWNER.record()),
        Message(Kind.PUT_VALUE, OWNER.key, record=b"\xff" * 20),
        put(OWNER.key, b""),
        put(OWNER.key, OWNER.record(ends=b"2000-01-01T00:00:00Z")),
        put(OWNER.key, ed25519(2).record()),
        put(OWNER.key, OWNER.record(said={"_more": bytes(11_000)})),
        put(ed25519(2).key, OWNER.record()),
        put(OWNER.key, OWNER.record(), within=ed25519(2).key),
        put(KEY, OWNER.record()),
    ],
    ids=[
        "no record",
        "a bare value",
        "garbage",
        "empty",
        "expired",
        "another's",
        "too large",
        "another name",
        "two keys",
        "no namespace",
    ],
)
def test_what_is_no_value_of_its_key_is_not_kept(message):
    answerer = an_answerer()
    with pytest.raises(MalformedMessage):
        answerer.answer(ASKER, message, 0.0)
    assert value_of(answerer, message.key) is None


def test_a_value_is_given_with_nearer_peers_and_when_it_came():
    table = RoutingTable(new_peer(RNG))
    for _ in range(5):
        table.heard(Contact(new_peer(RNG), (NEAR,)), 0.0)
    answerer = an_answerer(table=table)
    answerer.answer(ASKER, put(OWNER.key, OWNER.record()), 0.0)
    answer = answerer.answer(OTHER, Message(Kind.GET_VALUE, OWNER.key), 1.0)
    assert answer is not None
    assert len(answer.closer) == 5
    assert answer.record == encode_record(OWNER.key, OWNER.record(), NOW)
    assert answer.record.endswith(b"2027-01-15T08:00:00Z")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PING])
def test_a_request_without_a_key_makes_no_sense(kind):
    with pytest.raises(MalformedMessage):
        an_answerer().answer(ASKER, Message(kind), 0.0)


@pytest.mark.parametrize("kind", [Kind.ADD_PROVIDER, Kind.GET_PROVIDERS])
def test_what_is_longer_than_a_multihash_is_provided_by_nobody(kind):
    answerer = an_answerer()
    answerer.answer(ASKER, Message(kind, bytes(80)), 0.0)
    with pytest.raises(MalformedMessage):
        answerer.answer(ASKER, Message(kind, bytes(81)), 0.0)


def test_a_ping_brings_nothing_else_back():
    contacts = (Contact(OTHER, (NEAR,)),)
    ping = Message(Kind.PING, b"key", record=b"x" * 1_000, closer=contacts, providers=contacts)
    assert an_answerer().answer(ASKER, ping, 0.0) == Message(Kind.PING, b"key")


@pytest.mark.parametrize("kind", [Kind.FIND_NODE, Kind.GET_PROVIDERS, Kind.GET_VALUE])
def test_the_asker_is_not_told_of_itself(kind):
    table = RoutingTable(new_peer(RNG))
    table.heard(Contact(ASKER, (NEAR,)), 0.0)
    for _ in range(40):
        table.heard(Contact(new_peer(RNG), (NEAR,)), 0.0)
    assert table.closest(key_of_peer(ASKER))[0].peer == ASKER
    answer = an_answerer(table=table).answer(ASKER, Message(kind, peer_bytes(ASKER)), 0.0)
    assert answer is not None
    assert len(answer.closer) == K
    assert ASKER not in {one.peer for one in answer.closer}


def test_the_largest_answer_is_far_below_what_others_read():
    """As many records as there can be of a key, and peers, all with as many addresses as are kept."""
    table = RoutingTable(new_peer(RNG))
    answerer = an_answerer(table=table)
    addresses = LAN.only([NEAR + b"\x2d" * 100] * 40)
    for _ in range(200):
        table.heard(Contact(new_peer(RNG), addresses), 0.0)
        peer = new_peer(RNG)
        answerer.answer(peer, Message(Kind.ADD_PROVIDER, KEY, providers=(Contact(peer, addresses),)), 0.0)
    answer = answerer.answer(ASKER, Message(Kind.GET_PROVIDERS, KEY), 0.0)
    assert answer is not None
    assert len(answer.providers) == 64
    assert len(encode(answer)) < MAX_MESSAGE / 8
