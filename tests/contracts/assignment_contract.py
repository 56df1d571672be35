"""What every adapter of ``ledger.assignment.Assignment`` promises; a suite per adapter inherits it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from ledger.assignment import Assignment, Member
from tests.aio import run

PARTITIONS = 4
PATIENCE = 40.0
Make = Callable[[Member], Assignment]


class Party:
    """Some members in one process, each looked after as its owner would."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self.members: dict[str, Assignment] = {}
        self.ours: dict[str, frozenset[int]] = {}
        self.slow: set[str] = set()
        """Members whose work on a partition does not end."""

    async def join(self, name: str, *, log_key: bool = True, standby: bool = False) -> Assignment:
        """One more member."""
        one = self._make(Member(where=name, log_key=log_key, standby=standby))
        await one.join()
        self.members[name] = one
        self.ours[name] = frozenset()
        return one

    async def look(self) -> None:
        """Every owner looks once and ends with what is no longer theirs."""
        for name, one in list(self.members.items()):
            before, self.ours[name] = self.ours[name], await one.ours(0.05)
            if name not in self.slow:
                for partition in before - self.ours[name]:
                    await one.released(partition)

    async def until(self, right: Callable[[], bool]) -> None:
        """Look until it is as it should be."""
        deadline = time.monotonic() + PATIENCE
        while not right():
            assert time.monotonic() < deadline, self.ours
            await self.look()

    def shared(self, *sizes: int) -> Callable[[], bool]:
        """Whether every partition is held once, and the members hold so many."""
        return lambda: (
            sorted(p for held in self.ours.values() for p in held) == list(range(PARTITIONS))
            and sorted(len(held) for held in self.ours.values()) == sorted(sizes)
        )

    async def leave(self, name: str) -> None:
        """A member leaves."""
        await self.members.pop(name).leave()
        del self.ours[name]

    async def end(self) -> None:
        """All of them leave."""
        for name in list(self.members):
            await self.leave(name)


class AssignmentContract:
    """Inherit, and give ``make``: an assignment of ``PARTITIONS`` partitions at one place per test."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError

    def play(self, make: Make, story: Callable[[Party], Awaitable[None]]) -> None:
        """Run a story, and end its members."""

        async def whole() -> None:
            party = Party(make)
            try:
                await story(party)
            finally:
                await party.end()

        run(whole())

    def test_a_member_alone_gets_everything(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            await party.until(party.shared(4))
            assert [one.holds(p) for p in range(PARTITIONS)] == [True] * 4

        self.play(make, story)

    def test_who_joins_gets_an_equal_part_and_the_others_keep_the_rest(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            await party.until(party.shared(4))
            await party.join("b")
            await party.until(party.shared(2, 2))
            assert not any(one.holds(p) for p in party.ours["b"])
            kept = party.ours["a"]
            await party.join("c")
            await party.until(party.shared(1, 1, 2))
            assert party.ours["a"] <= kept

        self.play(make, story)

    def test_who_leaves_hands_over(self, make: Make) -> None:
        async def story(party: Party) -> None:
            await party.join("a")
            two = await party.join("b")
            await party.until(party.shared(2, 2))
            kept = party.ours["a"]
            await party.leave("b")
            await party.until(party.shared(4))
            assert party.ours["a"] > kept
            assert not any(two.holds(p) for p in range(PARTITIONS))

        self.play(make, story)

    def test_partition_0_is_only_for_who_has_a_log_key(self, make: Make) -> None:
        async def story(party: Party) -> None:
            await party.join("a", log_key=False)
            await party.until(lambda: party.ours["a"] == {1, 2, 3})
            await party.join("b")
            await party.until(party.shared(2, 2))
            assert 0 in party.ours["b"]

        self.play(make, story)

    def test_a_standby_waits_until_the_holder_has_gone(self, make: Make) -> None:
        async def story(party: Party) -> None:
            await party.join("a")
            await party.until(party.shared(4))
            standby = await party.join("s", standby=True)
            for _ in range(20):
                await party.look()
            assert party.ours == {"a": frozenset(range(PARTITIONS)), "s": frozenset()}
            await standby.tell(dict.fromkeys(range(PARTITIONS), 7), {})
            await party.leave("a")
            await party.until(party.shared(4))

        self.play(make, story)

    def test_everybody_sees_who_holds_what_and_where(self, make: Make) -> None:
        async def story(party: Party) -> None:
            stranger = make(Member())
            assert await stranger.members() == []
            one = await party.join("a")
            await party.join("b", log_key=False, standby=True)
            await party.until(party.shared(0, 4))
            told: dict[str, Member] = {}
            deadline = time.monotonic() + PATIENCE
            await one.tell({}, {2: "a fork"})
            while {m.where: m.stopped for m in told.values()} != {"a": {2: "a fork"}, "b": {}}:
                assert time.monotonic() < deadline, told
                await party.look()
                told = {m.where: m for m in await stranger.members()}
            assert told["a"].held == (0, 1, 2, 3)
            assert (told["a"].log_key, told["a"].standby) == (True, False)
            assert (told["b"].log_key, told["b"].standby) == (False, True)

        self.play(make, story)

    def test_leaving_twice_or_without_having_joined_is_harmless(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            await one.leave()
            await one.leave()
            await make(Member()).leave()
            del party.members["a"]

        self.play(make, story)

    def test_it_is_told_at_once_when_something_changes(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            assert await asyncio.wait_for(one.ours(PATIENCE), PATIENCE / 2) == frozenset(range(PARTITIONS))

        self.play(make, story)
