"""A rolling upgrade: registrars of an older and of this release on the same partitions write one history."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

import pytest

from consumers.herald import Herald
from consumers.registrar import Registrar
from infra.adapters.state_file import SqliteStateFile
from ledger.catalogue.own import RulesAdopted
from ledger.catalogue.requests import RequestAccepted
from ledger.errors import LogUnavailable, UnknownVersion
from ledger.log import LEDGER, SUBMISSIONS
from ledger.partition import partition_of
from ledger.state import StateFile
from ledger.versions import KNOWN_VERSIONS
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.checks import Seen, check_all, seen
from tests.faults.ground import copied, memory_state, seeds, settle, ticking
from tests.faults.world import COORDINATOR, OFFICES, People, Sent, Stream, changed, message_of

PARTITIONS = 3
OLD = frozenset({1})
BAD_DATA = 17


class Upgrade:
    """A ledger, an older and a newer registrar of each partition, and what is submitted."""

    def __init__(self, seed: int) -> None:
        self.people = People(PARTITIONS, "upgrade")
        self.log = MemoryLog(PARTITIONS, clock=ticking())
        self.dice = random.Random(seed)
        self.stream = Stream(self.people, seed)
        self.old = [self.registrar(p, OLD) for p in range(PARTITIONS)]
        self.new = [self.registrar(p, KNOWN_VERSIONS) for p in range(PARTITIONS)]
        self.herald = Herald(self.log, PARTITIONS, lambda: 0.0)
        self.halted: dict[int, str] = {}
        self._dates = 0

    def registrar(self, partition: int, known: Collection[int], state: StateFile | None = None) -> Registrar:
        state = state or memory_state(partition)
        keys = [self.people.log_key]
        return Registrar(self.log.other(), self.people.ledger_id, partition, state, keys, batch=7, known=known)

    def submit(self, sent: Sent) -> None:
        self.log.put(SUBMISSIONS, sent.partition, [sent.message])

    def opening(self) -> None:
        for signed in self.people.opening():
            self.log.put(SUBMISSIONS, 0, [signed.message()])

    def adopt(self) -> None:
        data, signers = RulesAdopted(version=2), self.people.authorities[:2]
        self.log.put(SUBMISSIONS, 0, [self.people.say(COORDINATOR, "register", data, *signers, id="v2").message()])

    def wrong_dates(self) -> set[str]:
        """One act on 31 February in each partition; their ids."""
        code, key = OFFICES[0], self.people.offices[OFFICES[0]]
        ids = set()
        for partition in range(PARTITIONS):
            self._dates += 1
            subject = next(s for n in range(99) if partition_of(s := f"request/d{n}", PARTITIONS) == partition)
            said = self.people.say(code, subject, RequestAccepted(executing=code), id=f"date-{self._dates}")
            value = changed(said.value, data={"executing": code, "received_on": "2025-02-31T10:00:00Z"})
            self.log.put(SUBMISSIONS, partition, [message_of(subject, value, key)])
            ids.add(said.id)
        return ids

    async def work(self) -> None:
        """Both releases and the herald, in an order that the dice decide, until nothing moves; old ones may halt."""
        idle = 0
        while idle < 60:
            old = [worker for p, worker in enumerate(self.old) if p not in self.halted]
            worker = self.dice.choice([*old, *self.new, self.herald])
            try:
                moved = await worker.step()
            except UnknownVersion as error:
                self.halted[self.old.index(worker)] = str(error)  # type: ignore[arg-type]
                continue
            except LogUnavailable:
                moved = 1  # the other one has appended
            idle = 0 if moved else idle + 1
        await settle(self.new, self.herald)

    async def seen(self) -> list[Seen]:
        return [await seen(self.log, p) for p in range(PARTITIONS)]


async def upgraded(seed: int) -> tuple[Upgrade, set[str], set[str]]:
    """Version 2 adopted in the middle; the ids of wrong dates before it and after it."""
    u = Upgrade(seed)
    u.opening()
    await u.work()
    for sent in u.stream.take(30):
        u.submit(sent)
    before = u.wrong_dates()
    await u.work()
    u.adopt()
    for sent in u.stream.take(30):
        u.submit(sent)
    await u.work()
    after = u.wrong_dates()
    for sent in u.stream.take(10):
        u.submit(sent)
    await u.work()
    return u, before, after


def ids(found: Seen) -> set[str]:
    return {value.split(b'"id":"')[1].split(b'"')[0].decode() for _, _, value, _ in found.history if value}


@pytest.mark.parametrize("seed", seeds(6, 200))
def test_two_releases_write_one_history_and_the_older_one_stops_at_the_adoption(seed: int) -> None:
    async def story() -> None:
        u, before, after = await upgraded(seed)
        views = await check_all(u.log, u.people.ledger_id, PARTITIONS)
        records = set().union(*(ids(found) for found in views))
        assert before <= records
        assert not after & records
        refused = [d for found in views for d in found.dispositions.values() if d == BAD_DATA]
        assert len(refused) >= len(after)
        for partition, found in enumerate(views):
            versions = [seal.v for seal in found.seals]
            adoption = next(i for i, (_, _, value, _) in enumerate(found.history) if b"rules.adopted" in (value or b""))
            assert versions == [1] * (adoption + 1) + [2] * (len(versions) - adoption - 1)
            assert 2 in versions
            assert "expected an adopted version that this release knows (1), found version 2" in u.halted[partition]
        # The same submissions, decided by this release alone, give the same: nothing of the older one is in it.
        alone = copied(u.log)
        for partition in range(PARTITIONS):
            alone._shelf.topics[LEDGER][partition].clear()
            alone._shelf.topics["outcomes"][partition].clear()
            worker = Registrar(
                alone, u.people.ledger_id, partition, memory_state(partition), [u.people.log_key], batch=1000
            )
            await worker.drain()
            assert await seen(alone, partition) == views[partition]

    run(story())


class TestAnOlderRelease:
    """Once a ledger has adopted a version, a release that does not know it appends nothing any more."""

    @pytest.mark.parametrize("state", ["kept", "lost", "of the newer release"])
    def test_it_stops_again_at_every_start_and_leaves_the_ledger_as_it_is(self, tmp_path: Path, state: str) -> None:
        async def story() -> None:
            u, _, _ = await upgraded(1)
            before = [await u.log.end(topic, p) for topic in (LEDGER, "outcomes") for p in range(PARTITIONS)]
            for partition in range(PARTITIONS):
                file = SqliteStateFile(tmp_path / f"{partition}.sqlite", partition)
                if state == "of the newer release":
                    await u.registrar(partition, KNOWN_VERSIONS, file).drain()
                elif state == "kept":
                    with pytest.raises(UnknownVersion):
                        await u.registrar(partition, OLD, file).drain()
                with pytest.raises(UnknownVersion, match="no ledger goes back to an older version"):
                    await u.registrar(partition, OLD, file).drain()
            assert [await u.log.end(topic, p) for topic in (LEDGER, "outcomes") for p in range(PARTITIONS)] == before

        run(story())

    def test_the_release_behind_it_goes_on_from_its_state(self, tmp_path: Path) -> None:
        async def story() -> None:
            u, _, _ = await upgraded(2)
            views = await u.seen()
            for partition in range(PARTITIONS):
                file = SqliteStateFile(tmp_path / f"{partition}.sqlite", partition)
                with pytest.raises(UnknownVersion):
                    await u.registrar(partition, OLD, file).drain()
                after = u.registrar(partition, KNOWN_VERSIONS, file)
                await after.drain()
                assert after.state.past == u.new[partition].state.past
                assert await seen(u.log, partition) == views[partition]

        run(story())
