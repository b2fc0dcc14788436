"""What a peer is told of our wants: only differences, and never more than it keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.outbox import Outbox

CIDS = [Block.create(bytes([number])).cid for number in range(6)]


def take(outbox: Outbox, most: int = 100) -> dict[Cid, str]:
    entries, _ = outbox.take(most)
    return {
        entry.cid: "cancel" if entry.cancel else "have" if entry.have_only else "block" for entry in entries
    }


def test_a_want_that_is_withdrawn_before_it_left_is_not_sent():
    outbox = Outbox(10, reserved=2)
    outbox.want_have(CIDS[0])
    outbox.cancel(CIDS[0])
    assert take(outbox) == {}


def test_a_want_that_is_raised_before_it_left_is_sent_once():
    outbox = Outbox(10, reserved=2)
    outbox.want_have(CIDS[0])
    outbox.want_block(CIDS[0])
    outbox.want_have(CIDS[0])
    assert take(outbox) == {CIDS[0]: "block"}
    assert not outbox.has_changes


def test_a_want_that_is_cancelled_and_wanted_again_before_that_left_is_left_alone():
    outbox = Outbox(10, reserved=2)
    outbox.want_have(CIDS[0])
    take(outbox)
    outbox.cancel(CIDS[0])
    outbox.want_have(CIDS[0])
    assert take(outbox) == {}


def test_an_answered_want_needs_no_cancel():
    outbox = Outbox(10, reserved=2)
    outbox.want_block(CIDS[0])
    take(outbox)
    outbox.answered(CIDS[0])
    outbox.cancel(CIDS[0])
    assert take(outbox) == {}


def test_a_block_that_crosses_a_cancel_makes_room_for_a_new_want():
    outbox = Outbox(10, reserved=2)
    outbox.want_block(CIDS[0])
    take(outbox)
    outbox.cancel(CIDS[0])
    outbox.crossed(CIDS[0].multihash)
    assert take(outbox) == {}
    outbox.want_block(CIDS[0])
    assert take(outbox) == {CIDS[0]: "block"}


def test_one_that_is_wanted_again_already_is_told_of_no_crossing():
    outbox = Outbox(10, reserved=2)
    outbox.want_block(CIDS[0])
    take(outbox)
    outbox.crossed(CIDS[0].multihash)
    outbox.cancel(CIDS[0])
    assert take(outbox) == {CIDS[0]: "cancel"}


def test_changes_are_handed_out_in_portions():
    outbox = Outbox(10, reserved=2)
    for cid in CIDS:
        outbox.want_have(cid)
    assert list(take(outbox, 4)) == CIDS[:4]
    assert list(take(outbox, 4)) == CIDS[4:]


def test_what_finds_no_room_follows_when_there_is_some():
    outbox = Outbox(3, reserved=1)
    for cid in CIDS[:3]:
        outbox.want_have(cid)
    assert take(outbox) == {CIDS[0]: "have", CIDS[1]: "have"}
    outbox.cancel(CIDS[0])
    assert take(outbox) == {CIDS[0]: "cancel", CIDS[2]: "have"}


def test_a_denied_want_makes_room_for_another():
    outbox = Outbox(3, reserved=1)
    outbox.want_have(CIDS[0])
    outbox.want_have(CIDS[1])
    take(outbox)
    outbox.denied(CIDS[0])
    outbox.want_have(CIDS[2])
    assert take(outbox) == {CIDS[0]: "cancel", CIDS[2]: "have"}


def test_a_want_that_waits_for_room_takes_the_place_of_one_that_is_denied():
    outbox = Outbox(3, reserved=1)
    for cid in CIDS[:3]:
        outbox.want_have(cid)
    take(outbox)
    outbox.denied(CIDS[0])
    assert take(outbox) == {CIDS[0]: "cancel", CIDS[2]: "have"}


def test_denied_wants_do_not_take_turns():
    outbox = Outbox(3, reserved=1)
    for cid in CIDS[:3]:
        outbox.want_have(cid)
    take(outbox)
    outbox.denied(CIDS[0])
    take(outbox)
    outbox.denied(CIDS[1])
    outbox.denied(CIDS[2])
    assert not outbox.has_changes
    outbox.cancel(CIDS[1])
    assert take(outbox) == {CIDS[1]: "cancel", CIDS[0]: "have"}


def test_blocks_have_room_that_word_of_blocks_may_not_take():
    outbox = Outbox(3, reserved=1)
    for cid in CIDS[:4]:
        outbox.want_have(cid)
    assert outbox.has_room
    outbox.want_block(CIDS[5])
    assert not outbox.has_room
    outbox.want_block(CIDS[4])
    assert take(outbox) == {CIDS[0]: "have", CIDS[1]: "have", CIDS[5]: "block"}


def test_starting_over_tells_what_is_wanted_now_in_place_of_everything():
    outbox = Outbox(10, reserved=2)
    outbox.want_have(CIDS[0])
    outbox.want_block(CIDS[1])
    take(outbox)
    outbox.cancel(CIDS[0])
    outbox.start_over()
    entries, full = outbox.take(10)
    assert full
    assert [(entry.cid, entry.have_only, entry.cancel) for entry in entries] == [(CIDS[1], False, False)]
    assert outbox.take(10) == ((), False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["want_have", "want_block", "cancel", "denied", "repeat", "take", "start_over"]),
            st.sampled_from(CIDS),
        ),
        max_size=40,
    )
)
def test_the_peer_ends_up_with_what_is_wanted_and_within_the_limit(steps):
    outbox = Outbox(4, reserved=1)
    kept: set[Cid] = set()
    wanted: set[Cid] = set()

    def send() -> None:
        entries, full = outbox.take(100)
        if full:
            kept.clear()
        for entry in entries:
            (kept.discard if entry.cancel else kept.add)(entry.cid)
            assert len(kept) <= 4

    for step, cid in steps:
        if step == "take":
            send()
        elif step == "start_over":
            outbox.start_over()
        else:
            getattr(outbox, step)(cid)
            wanted |= {cid} if step.startswith("want") else set()
            wanted -= {cid} if step == "cancel" else set()
    send()
    assert kept == {cid for cid in CIDS if cid in outbox}
    assert kept <= wanted
