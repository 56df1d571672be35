"""Trees are those of RFC 6962, whatever their size."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.errors import FormatError
from ledger.merkle import EMPTY_ROOT, Frontier, extend, format_frontier, parse_frontier, push, root
from ledger.seal import leaf_hash


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def frontier_of(leaves: list[bytes]) -> Frontier:
    frontier: Frontier = ()
    for size, leaf in enumerate(leaves):
        frontier = push(size, frontier, leaf)
    return frontier


LEAVES = [sha256(b"leaf %d" % i).digest() for i in range(130)]

# The inputs and roots that the implementations of Certificate Transparency test themselves with.
CT_INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_are_those_of_certificate_transparency() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in CT_INPUTS]
    assert [root(frontier_of(leaves[: n + 1])).hex() for n in range(8)] == CT_ROOTS
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root(()) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(101))
def test_the_root_of_every_size_is_the_recursive_one(size: int) -> None:
    frontier = frontier_of(LEAVES[:size])
    assert root(frontier) == naive_root(LEAVES[:size])
    assert len(frontier) == size.bit_count()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 21, 64, 100])
def test_each_corrupted_leaf_changes_the_root(size: int) -> None:
    right = root(frontier_of(LEAVES[:size]))
    for i in range(size):
        broken = [*LEAVES[:i], bytes(32), *LEAVES[i + 1 : size]]
        assert root(frontier_of(broken)) != right, i


@pytest.mark.parametrize("size", [2, 3, 7, 64, 100])
def test_order_and_number_of_leaves_change_the_root(size: int) -> None:
    right = root(frontier_of(LEAVES[:size]))
    for i in range(size - 1):
        swapped = [*LEAVES[:i], LEAVES[i + 1], LEAVES[i], *LEAVES[i + 2 : size]]
        assert root(frontier_of(swapped)) != right, i
    assert root(frontier_of(LEAVES[: size - 1])) != right
    assert root(frontier_of([*LEAVES[:size], LEAVES[size - 1]])) != right


def test_an_old_frontier_stays_what_it_was() -> None:
    old = frontier_of(LEAVES[:7])
    kept = tuple(old)
    push(7, old, LEAVES[7])
    assert old == kept


@pytest.mark.parametrize("size", [0, 1, 2, 6, 63, 64, 65, 100])
def test_a_frontier_is_stored_and_read_back(size: int) -> None:
    frontier = frontier_of(LEAVES[:size])
    stored = format_frontier(frontier)
    assert parse_frontier(stored, size) == frontier
    for other in (stored + bytes(32), stored[:-1], stored + b"\0"):
        if other != stored:
            with pytest.raises(FormatError, match="bytes of frontier for size"):
                parse_frontier(other, size)
    with pytest.raises(FormatError, match="bytes of frontier"):
        parse_frontier(stored, size * 2 + 1)


def test_no_tree_has_a_negative_size() -> None:
    with pytest.raises(FormatError):
        parse_frontier(b"", -1)


def test_many_leaves_at_once_give_what_push_gives_one_by_one() -> None:
    frontiers: list[tuple[bytes, ...]] = [()]
    for size, leaf in enumerate(LEAVES):
        frontiers.append(push(size, frontiers[-1], leaf))
    for before in range(len(LEAVES) + 1):
        for after in range(before, len(LEAVES) + 1):
            assert extend(before, frontiers[before], LEAVES[before:after]) == frontiers[after]


def test_a_frontier_of_other_hashes_grows_to_another_one() -> None:
    frontier = extend(0, (), LEAVES[:3])
    for place in range(len(frontier)):
        other = (*frontier[:place], bytes(32), *frontier[place + 1 :])
        assert extend(3, other, LEAVES[3:6]) != extend(3, frontier, LEAVES[3:6])
