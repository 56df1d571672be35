"""Who gets which partitions: equal parts, few moves, partition 0 only with a log key, standbys only when needed."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ledger.assignment import Member, share


def member(id_: str, *held: int, key: bool = True, standby: bool = False, **more: object) -> Member:
    return msgspec.convert({"id": id_, "held": held, "log_key": key, "standby": standby, **more}, Member)


def settled(members: list[Member], partitions: int) -> list[Member]:
    """The members after a sharing."""
    given_ = share(members, partitions)
    return [msgspec.structs.replace(m, held=given_[m.id], since=m.since + 1) for m in members]


def test_one_member_gets_everything() -> None:
    assert share([member("a")], 3) == {"a": (0, 1, 2)}


def test_nobody_gets_nothing() -> None:
    assert share([], 3) == {}


def test_two_members_get_half_each() -> None:
    assert share([member("a", 0, 1, 2, 3), member("b")], 4) == {"a": (0, 1), "b": (2, 3)}


def test_who_comes_fourth_gets_one_of_six() -> None:
    shared = share([member("a", 0, 1), member("b", 2, 3), member("c", 4, 5), member("d")], 6)
    assert sorted(len(held) for held in shared.values()) == [1, 1, 2, 2]
    assert len(shared["d"]) == 1


def test_what_a_dead_member_held_is_shared_and_nothing_else_moves() -> None:
    assert share([member("a", 0, 1), member("c", 4, 5)], 6) == {"a": (0, 1, 2), "c": (3, 4, 5)}


def test_of_two_claims_the_latest_counts() -> None:
    members = [member("a", 0, 1, 2, since=3), member("b", 1, 2, since=4), member("c", 3, since=4)]
    assert share(members, 4) == {"a": (0,), "b": (1, 2), "c": (3,)}


def test_partition_0_goes_only_to_who_has_a_log_key() -> None:
    assert share([member("a", key=False), member("b")], 2) == {"a": (1,), "b": (0,)}
    assert share([member("a", 0, 1, key=False), member("b")], 2) == {"a": (1,), "b": (0,)}


def test_without_any_log_key_partition_0_waits() -> None:
    assert share([member("a", key=False), member("b", key=False)], 3) == {"a": (1,), "b": (2,)}


def test_with_more_members_than_partitions_the_one_with_the_key_is_not_left_out() -> None:
    members = [member("a", 1, key=False), member("b", key=False), member("c")]
    assert share(members, 2) == {"a": (1,), "b": (), "c": (0,)}


def test_a_standby_gets_nothing_while_others_hold() -> None:
    assert share([member("a"), member("s", standby=True)], 3) == {"a": (0, 1, 2), "s": ()}


def test_standbys_alone_share_like_anybody() -> None:
    assert share([member("s", standby=True), member("t", standby=True)], 2) == {"s": (0,), "t": (1,)}


def test_what_nobody_holds_goes_to_who_follows_it() -> None:
    warm = dict.fromkeys(range(6), 9)
    members = [member("b", 3, 4, 5), member("s", standby=True, warm=warm)]
    assert share(members, 6) == {"b": (3, 4, 5), "s": (0, 1, 2)}


def test_of_two_followers_the_further_one_gets_it() -> None:
    members = [member("s", standby=True, warm={0: 5, 1: 5}), member("t", standby=True, warm={0: 9, 1: 9})]
    assert share(members, 2)["t"] != ()
    assert 0 in share(members, 2)["t"]


def test_a_standby_that_took_over_keeps_it_when_the_other_returns() -> None:
    assert share([member("a"), member("s", 0, 1, standby=True, since=2)], 2) == {"a": (1,), "s": (0,)}


MEMBERS = st.lists(
    st.builds(
        Member,
        id=st.sampled_from("abcdefg"),
        log_key=st.booleans(),
        standby=st.booleans(),
        since=st.integers(0, 3),
        held=st.lists(st.integers(0, 9), unique=True).map(tuple),
        warm=st.dictionaries(st.integers(0, 9), st.integers(0, 100)),
    ),
    unique_by=lambda m: m.id,
    min_size=1,
)


@given(MEMBERS, st.integers(1, 10))
def test_every_partition_is_given_once_and_0_only_with_a_key(members: list[Member], partitions: int) -> None:
    shared = share(members, partitions)
    assert set(shared) == {m.id for m in members}
    handed = sorted(p for held in shared.values() for p in held)
    keys = any(m.log_key for m in members)
    assert handed == list(range(0 if keys else 1, partitions))
    assert all(m.log_key for m in members if 0 in shared[m.id])


@given(MEMBERS, st.integers(1, 10))
def test_sharing_again_moves_nothing(members: list[Member], partitions: int) -> None:
    after = settled(members, partitions)
    assert {m.id: m.held for m in settled(after, partitions)} == {m.id: m.held for m in after}


@given(MEMBERS, st.integers(1, 10))
def test_the_parts_of_those_who_share_differ_by_one_at_most(members: list[Member], partitions: int) -> None:
    ordinary = [msgspec.structs.replace(m, standby=False) for m in members]
    sizes = [len(held) for held in share(ordinary, partitions).values()]
    assert max(sizes) - min(sizes) <= 1


@given(MEMBERS, st.integers(1, 10))
def test_the_order_in_which_members_are_listed_does_not_matter(members: list[Member], partitions: int) -> None:
    assert share(members, partitions) == share(members[::-1], partitions)
