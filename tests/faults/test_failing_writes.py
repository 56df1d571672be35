"""Each write fails twice: lost, and written but reported as failed. Afterwards all is as if nothing had happened."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from consumers.herald import Herald
from consumers.registrar import Registrar
from consumers.replay import Limits, follow
from infra.adapters.ledger_folder import LedgerFolder
from infra.adapters.state_file import SqliteStateFile
from ledger.catalogue.own import StepTaken, SubmissionsReopened
from ledger.errors import ForkError, IntegrityError, LogUnavailable
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Message, Stored, header
from ledger.seal import Seal, entry, format_seal, leaf_hash, read_seal
from ledger.state import StateFile
from ledger.submission import SEAL_HEADER
from projections.engine import open_engine
from projections.store import Store
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.checks import FOLD, check_all, check_answers, check_audit, digests, everything, rebuilt, seen
from tests.faults.faulty import FailAt, GatedLog, GatedState, GatedStore, When
from tests.faults.ground import (
    BATCH,
    Reference,
    copied,
    cut,
    folder_with,
    memory_state,
    memory_with,
    registrar,
    settle,
    ticking,
    undisturbed,
)
from tests.faults.world import COORDINATOR, Stream

PARTITIONS = 3
_references: dict[int, Reference] = {}


async def reference_of(seed: int) -> Reference:
    if seed not in _references:
        _references[seed] = await undisturbed(PARTITIONS, seed, 110)
    return _references[seed]


def lost_log() -> Exception:
    return LogUnavailable("no answer")


def bad_disk() -> Exception:
    return sqlite3.OperationalError("disk I/O error")


async def drained(make: Callable[[], Registrar]) -> Registrar:
    """A registrar at the end of its submissions; a log that fails is asked again, any other error starts it anew."""
    worker = make()
    while True:
        try:
            await worker.drain()
        except LogUnavailable:
            continue
        except sqlite3.OperationalError:
            worker = make()
            continue
        return worker


class TestARegistrar:
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("what", [OUTCOMES, LEDGER, "state"])
    @pytest.mark.parametrize("partition", range(PARTITIONS))
    def test_every_write_may_fail(self, partition: int, what: str, when: When) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            n = 0
            while await self._failed(memory_with(reference.submissions).other, reference, partition, (what, n, when)):
                n += 1
            assert n >= len(reference.submissions[partition]) // BATCH // 2

        run(story())

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("what", [OUTCOMES, LEDGER, "state"])
    def test_every_write_may_fail_on_a_folder(self, tmp_path: Path, what: str, when: When) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            await folder_with(tmp_path / "clean", reference.submissions)
            for n in (0, 2):
                folder = Path(shutil.copytree(tmp_path / "clean", tmp_path / f"{n}"))
                assert await self._failed(lambda: LedgerFolder(folder), reference, 2, (what, n, when))  # noqa: B023

        run(story())

    async def _failed(
        self, open_: Callable[[], Log], reference: Reference, partition: int, at: tuple[str, int, When]
    ) -> bool:
        """Let one write fail; whether there was such a write."""
        what, n, when = at
        plan = FailAt(what, n, when, bad_disk if what == "state" else lost_log)
        plain = open_()
        log = GatedLog(plain, plan.slow)
        inner = memory_state(partition)
        state = GatedState(inner, partition, plan)
        worker = await drained(lambda: registrar(log, reference.people, partition, state))
        found = await seen(log, partition)
        assert found == reference.seen[partition], f"after {at}"
        assert worker.state.past == reference.pasts[partition]
        snapshot = state.load()
        assert snapshot is not None
        assert snapshot.past == reference.pasts[partition]
        if what == LEDGER:
            # What failed was written all the same in one of the two cases, and nothing was appended twice in either.
            assert found.repeated == 0
        # A state that took part in a failure is as good as one that did not: it decides the same of what comes next.
        await check_same_decisions(plain, reference, partition, inner)
        await worker.close()
        await plain.close()
        return plan.failed


async def check_same_decisions(log: Log, reference: Reference, partition: int, state: StateFile) -> None:
    """Whatever was admitted gets its original receipt when it is submitted again; nothing of it is sealed again."""
    if not isinstance(log, MemoryLog):
        return
    twin = copied(log)
    there = twin._shelf.topics[SUBMISSIONS][partition]
    size = len(there)
    sealed = [there[seal.offset] for seal in reference.seen[partition].seals]
    there.extend(msgspec.structs.replace(s, position=size + n) for n, s in enumerate(sealed))
    before = await twin.end(LEDGER, partition)
    await registrar(twin, reference.people, partition, state).drain()
    assert await twin.end(LEDGER, partition) == before
    found = await seen(twin, partition)
    for index, seal in enumerate(found.seals):
        outcome = msgspec.json.decode(header(found.outcomes[0, size + index][3], "outcome") or b"")
        leaf = leaf_hash(entry(header(found.history[index][3], SEAL_HEADER) or b"", found.history[index][2] or b""))
        assert outcome["outcome"] == "duplicate"
        assert outcome["receipt"] == [partition, 0, seal.offset, index, seal.seq, leaf.hex()]


class TestTheHerald:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_every_copy_may_fail(self, when: When) -> None:
        async def story(n: int) -> bool:
            reference = await reference_of(1)
            people = reference.people
            log = memory_with([[] for _ in range(PARTITIONS)])
            plan = FailAt(SUBMISSIONS, n, when, lost_log)
            herald = Herald(GatedLog(log, plan.slow), PARTITIONS, lambda: 0.0)  # so nothing is mended by mere waiting
            workers = [registrar(log, people, p, memory_state(p)) for p in range(PARTITIONS)]

            async def work() -> None:
                while True:
                    try:
                        await settle(workers, herald)
                    except LogUnavailable:
                        continue
                    return

            for signed in people.opening():
                await log.append(SUBMISSIONS, 0, [signed.message()])
            await work()
            for sent in Stream(people, 1).take(80):
                await log.append(SUBMISSIONS, sent.partition, [sent.message])
                if sent.message.key == b"register":
                    await work()
            await work()
            await check_all(log, people.ledger_id, PARTITIONS)
            assert herald.lag() == {1: 0, 2: 0}
            return plan.failed

        n = 0
        while run(story(n)):
            n += 1
        assert n > 8

    def test_a_herald_that_starts_anew_sends_what_is_missing_and_nothing_else(self) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            people = reference.people
            log = memory_with([reference.submissions[0], [], []])
            workers = [registrar(log, people, p, memory_state(p)) for p in range(PARTITIONS)]
            await workers[0].drain()
            await Herald(log, PARTITIONS, lambda: 0.0).step()
            await workers[1].drain()
            again = Herald(log, PARTITIONS, lambda: 0.0)
            await again.step()
            ends = [await log.end(SUBMISSIONS, p) for p in (1, 2)]
            sent = sum(header(t[3], "attest") is not None for t in reference.seen[0].history)
            assert ends == [sent, 2 * sent]  # partition 2 had sealed nothing, so it gets everything again
            await settle(workers, again)
            await check_all(log, people.ledger_id, PARTITIONS)

        run(story())

    def test_copies_larger_than_one_append_are_sent_in_pieces(self) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            log = memory_with([reference.submissions[0], [], []])
            log._limit = 6000
            workers = [registrar(log, reference.people, p, memory_state(p)) for p in range(PARTITIONS)]
            await settle(workers, Herald(log, PARTITIONS, lambda: 0.0))
            await check_all(log, reference.people.ledger_id, PARTITIONS)

        run(story())

    @pytest.mark.parametrize("attested", [True, False])
    def test_a_stray_register_message_does_not_hold_it_up(self, attested: bool) -> None:
        """Somebody wrote beyond the next index; readers ignore that, and so must the copies of what comes later."""

        async def story() -> None:
            reference = await reference_of(1)
            people = reference.people
            log = memory_with([[], [], []])
            workers = [registrar(log, people, p, memory_state(p)) for p in range(PARTITIONS)]
            opening = people.opening()
            for signed in opening[:2]:
                await log.append(SUBMISSIONS, 0, [signed.message()])
            await settle(workers, Herald(log, PARTITIONS, lambda: 0.0))
            (last,) = (await everything(log, LEDGER, 0))[-1:]
            stray = resealed(last, index=7, seq=3)
            kept = [h for h in stray.headers if attested or h[0] != "attest"]
            await log.append(LEDGER, 0, [msgspec.structs.replace(stray, headers=tuple(kept))])
            for signed in opening[2:]:
                await log.append(SUBMISSIONS, 0, [signed.message()])
            fresh = [registrar(log, people, p, memory_state(p)) for p in range(PARTITIONS)]
            herald = Herald(log, PARTITIONS, lambda: 0.0)
            await settle(fresh, herald)
            assert {r.state.register.seq for r in fresh if r.state.register} == {len(opening)}
            assert herald.lag() == {1: 0, 2: 0}

        run(story())


class TestReplay:
    @pytest.mark.parametrize("when", ["before", "within", "after"])
    def test_every_commit_may_fail(self, tmp_path: Path, when: When) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            ledger_id = reference.people.ledger_id
            log = memory_with(reference.submissions)
            for partition in range(PARTITIONS):
                await registrar(log, reference.people, partition, memory_state(partition)).drain()
            with Store.open(f"sqlite:///{tmp_path}/clean.db") as clean:
                expected = await rebuilt(log, clean, ledger_id, PARTITIONS)
            n, failed = 0, True
            while failed:
                failed = await self._failed(f"sqlite:///{tmp_path}/{n}.db", log, reference, (n, when), expected)
                n += 1
            assert n > 10

        run(story())

    async def _failed(
        self, url: str, log: Log, reference: Reference, at: tuple[int, When], expected: list[bytes]
    ) -> bool:
        def broken() -> Exception:
            return sa.exc.OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

        plan = FailAt("commit", at[0], at[1], broken)
        limits = Limits(piece=8, records=24, wait=0.0)
        with GatedStore(open_engine(url)) as store:
            store.gate = plan
            generation = store.live(FOLD, reference.people.ledger_id)
            while True:
                try:
                    outcome = await follow(log, store, FOLD, generation, until_idle=True, limits=limits)
                except sa.exc.OperationalError:
                    continue
                break
            assert not outcome.stopped
            assert digests(store, generation, PARTITIONS) == expected
        return plan.failed


# States and logs that are not what they were


def resealed(stored: Stored, **changes: object) -> Message:
    """A record's message with another seal, as a forger would write it."""
    seal = msgspec.json.decode(header(stored.headers, SEAL_HEADER) or b"", type=Seal)
    text = format_seal(msgspec.structs.replace(seal, **changes))
    headers = tuple((name, text if name == SEAL_HEADER else value) for name, value in stored.headers)
    return Message(stored.key, stored.value, headers, stored.timestamp)


class TestStates:
    @pytest.mark.parametrize("partition", range(PARTITIONS))
    def test_a_lost_state_is_derived_again(self, partition: int) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log = memory_with(reference.submissions)
            await registrar(log, reference.people, partition, memory_state(partition)).drain()
            state = memory_state(partition)
            again = registrar(log, reference.people, partition, state)
            assert await again.drain() == len(reference.submissions[partition])
            found = await seen(log, partition)
            assert found == reference.seen[partition]
            assert found.repeated == 0
            await check_same_decisions(log, reference, partition, state)

        run(story())

    def test_an_older_state_file_goes_on_from_where_it_was(self, tmp_path: Path) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log, people, path = memory_with(reference.submissions), reference.people, tmp_path / "state.sqlite"
            worker = registrar(log, people, 2, SqliteStateFile(path, 2))
            total = 0
            copies = []
            while count := await worker.step():
                total += count
                await worker.close()
                copies.append((total, Path(shutil.copy(path, tmp_path / f"{total}.sqlite"))))
                worker = registrar(log, people, 2, SqliteStateFile(path, 2))
            await worker.close()
            for consumed, copy in copies:
                older = registrar(log, people, 2, SqliteStateFile(copy, 2))
                assert await older.drain() == total - consumed
                assert older.state.past == reference.pasts[2]
                await older.close()
            found = await seen(log, 2)
            assert found == reference.seen[2]
            assert found.repeated == 0

        run(story())

    @pytest.mark.parametrize("kept", [1, 5, 20])
    def test_a_ledger_that_lost_its_end_gets_the_same_records_again(self, kept: int) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log, state = memory_with(reference.submissions), memory_state(2)
            await registrar(log, reference.people, 2, state).drain()
            assert len(reference.seen[2].history) > 20
            cut(log, LEDGER, 2, kept)
            again = registrar(log, reference.people, 2, state)
            await again.drain()
            assert await seen(log, 2) == reference.seen[2]
            assert again.state.past == reference.pasts[2]
            await check_same_decisions(log, reference, 2, state)

        run(story())

    def test_a_ledger_that_lost_everything_waits_for_a_person_to_give_the_state_up(self) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log, state = memory_with(reference.submissions), memory_state(2)
            await registrar(log, reference.people, 2, state).drain()
            cut(log, LEDGER, 2, 0)
            with pytest.raises(IntegrityError, match="found it empty"):
                await registrar(log, reference.people, 2, state).drain()
            fresh = memory_state(2)
            await registrar(log, reference.people, 2, fresh).drain()
            assert await seen(log, 2) == reference.seen[2]
            await check_same_decisions(log, reference, 2, fresh)

        run(story())

    def test_an_unreadable_state_file_is_put_aside(self, tmp_path: Path) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log, path = memory_with(reference.submissions), tmp_path / "state.sqlite"
            first = registrar(log, reference.people, 1, SqliteStateFile(path, 1))
            await first.drain()
            await first.close()
            path.write_bytes(b"not a database at all" * 400)
            again = registrar(log, reference.people, 1, SqliteStateFile(path, 1))
            assert await again.drain() == len(reference.submissions[1])
            assert await seen(log, 1) == reference.seen[1]
            await again.close()

        run(story())


class TestForgedRecords:
    """A record at the ledger's end that admission does not derive stops the partition, and is never believed."""

    async def _forge(self, state: StateFile, forge: Callable[[list[Stored]], Message]) -> tuple[MemoryLog, Reference]:
        """A partition of which the last submissions are still to come, with a forged record at the ledger's end."""
        reference = await reference_of(2)
        log = memory_with(reference.submissions)
        waiting = log._shelf.topics[SUBMISSIONS][2][50:]
        cut(log, SUBMISSIONS, 2, 50)
        await registrar(log, reference.people, 2, state).drain()
        await log.append(LEDGER, 2, [forge(await everything(log, LEDGER, 2))])
        log._shelf.topics[SUBMISSIONS][2].extend(waiting)
        return log, reference

    @staticmethod
    def _following(records: list[Stored]) -> Message:
        """A record that says everything as the next one would, but that nobody submitted."""
        last = records[-1]
        text = header(last.headers, SEAL_HEADER) or b""
        seal = read_seal(text)
        leaf = leaf_hash(entry(text, last.value or b""))
        return resealed(last, index=seal.index + 1, seq=seal.seq + 1, prev=leaf.hex(), offset=seal.offset + 40)

    @staticmethod
    def _older(records: list[Stored]) -> Message:
        """An old record once more, under the next index."""
        seal = read_seal(header(records[-1].headers, SEAL_HEADER) or b"")
        return resealed(records[3], index=seal.index + 1)

    @pytest.mark.parametrize("lost", [False, True])
    @pytest.mark.parametrize("forge", ["_following", "_older"])
    def test_a_registrar_that_meets_one_halts(self, forge: str, lost: bool) -> None:
        async def story() -> None:
            state = memory_state(2)
            log, reference = await self._forge(state, getattr(self, forge))
            before = await everything(log, LEDGER, 2)
            state = memory_state(2) if lost else state
            for _ in range(2):
                with pytest.raises(ForkError, match="admission gives leaf"):
                    await registrar(log, reference.people, 2, state).drain()
                assert await everything(log, LEDGER, 2) == before

        run(story())

    @pytest.mark.parametrize("forge", ["_following", "_older"])
    def test_a_registrar_at_work_notices_one_behind_its_back(self, forge: str) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log = memory_with(reference.submissions)
            worker = registrar(log, reference.people, 2, memory_state(2))
            for _ in range(3):
                await worker.step()
            await log.append(LEDGER, 2, [getattr(self, forge)(await everything(log, LEDGER, 2))])
            with pytest.raises(ForkError):
                await worker.drain()
            with pytest.raises(ForkError):
                await worker.drain()

        run(story())

    @pytest.mark.parametrize("forge", ["_following", "_older"])
    def test_a_forged_first_record_is_not_taken_for_the_opening(self, forge: str) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log = memory_with(reference.submissions)
            made = memory_with(reference.submissions)
            await registrar(made, reference.people, 2, memory_state(2)).drain()
            records = await everything(made, LEDGER, 2)
            await log.append(LEDGER, 2, [resealed(records[3 if forge == "_older" else 0], index=0, admitted=1)])
            with pytest.raises(IntegrityError):
                await registrar(log, reference.people, 2, memory_state(2)).drain()
            assert await log.end(LEDGER, 2) == 1

        run(story())

    @pytest.mark.parametrize("seal", [None, b"", b"{}", b"\xff", b'{"v":1}'])
    @pytest.mark.parametrize("first", [False, True])
    def test_a_message_that_is_no_record_at_all_is_passed(self, seal: bytes | None, first: bool) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log, state = memory_with(reference.submissions), memory_state(2)
            if not first:
                worker = registrar(log, reference.people, 2, state)
                for _ in range(3):
                    await worker.step()
            headers = () if seal is None else ((SEAL_HEADER, seal),)
            await log.append(LEDGER, 2, [Message(b"request/1", b"noise", headers)])
            worker = registrar(log, reference.people, 2, state)
            await worker.drain()
            stray = [m for m in await everything(log, LEDGER, 2) if m.value == b"noise"]
            assert len(stray) == 1
            log._shelf.topics[LEDGER][2].remove(stray[0])
            assert await seen(log, 2) == reference.seen[2]

        run(story())


class TestOtherSubmissions:
    def test_an_exchanged_submissions_log_is_noticed(self) -> None:
        async def story(*, lost: bool) -> None:
            reference, other = await reference_of(1), await reference_of(2)
            state = memory_state(2)
            log = memory_with(reference.submissions)
            await registrar(log, reference.people, 2, state).drain()
            log._shelf.topics[SUBMISSIONS][2] = list(other.submissions[2])
            if lost:
                # The two begin alike; so the one with the state meets other bytes at its last record, the other a fork.
                state = memory_state(2)
            with pytest.raises(IntegrityError):
                await registrar(log, reference.people, 2, state).drain()

        run(story(lost=False))
        run(story(lost=True))

    def test_a_submissions_log_that_lost_its_end_is_noticed(self) -> None:
        async def story() -> None:
            reference = await reference_of(1)
            state, log = memory_state(2), memory_with(reference.submissions)
            await registrar(log, reference.people, 2, state).drain()
            cut(log, SUBMISSIONS, 2, reference.seen[2].seals[-1].offset)
            with pytest.raises(IntegrityError, match="found nothing"):
                await registrar(log, reference.people, 2, state).drain()

        run(story())


class TestReopening:
    """A new submissions log begins with a statement of the authorities, and needs the saved state."""

    def _reopened(self, reference: Reference, partition: int, **wrong: object) -> Message:
        last = reference.seen[partition].history[-1]
        leaf = leaf_hash(entry(header(last[3], SEAL_HEADER) or b"", last[2] or b""))
        stated = {"epoch": 1, "index": len(reference.seen[partition].history) - 1, "leaf": leaf.hex(), **wrong}
        data = msgspec.convert(stated, SubmissionsReopened)
        signers = reference.people.authorities[:2]
        subject = f"ledger/{partition}"
        return reference.people.say(COORDINATOR, subject, data, *signers, id=f"reopened-{partition}").message()

    async def _closed(self, states: list[StateFile]) -> tuple[MemoryLog, Reference]:
        """A ledger whose submissions logs are new, and empty."""
        reference = await reference_of(2)
        log = memory_with(reference.submissions)
        for partition, state in enumerate(states):
            await registrar(log, reference.people, partition, state).drain()
            cut(log, SUBMISSIONS, partition, 0)
        log._clock = ticking_on(reference)
        return log, reference

    def _states(self) -> list[StateFile]:
        return [memory_state(p) for p in range(PARTITIONS)]

    def test_work_goes_on_in_the_next_epoch(self) -> None:
        async def story() -> None:
            states = self._states()
            log, reference = await self._closed(states)
            people = reference.people
            for partition in range(PARTITIONS):
                await log.append(SUBMISSIONS, partition, [self._reopened(reference, partition)])
            workers = [registrar(log, people, p, states[p]) for p in range(PARTITIONS)]
            herald = Herald(log, PARTITIONS, lambda: 0.0)
            await settle(workers, herald)
            assert [w.state.epoch for w in workers] == [1] * PARTITIONS
            for sent in Stream(people, 77).take(60):
                await log.append(SUBMISSIONS, sent.partition, [sent.message])
            await settle(workers, herald)
            await check_audit(log, people.ledger_id, PARTITIONS)
            for partition in range(PARTITIONS):
                found = await seen(log, partition)
                assert found.history[: len(reference.seen[partition].history)] == reference.seen[partition].history
                places = {(s.epoch, s.offset) for s in found.seals} | set(found.outcomes)
                assert len(places) == len(found.seals) + len(found.outcomes)
                submitted = await everything(log, SUBMISSIONS, partition)
                assert {o for e, o in places if e == 1} == {s.position for s in submitted}
            for partition in range(PARTITIONS):  # and a restart within the epoch is nothing special
                again = registrar(log, people, partition, states[partition])
                assert await again.drain() == 0
                assert again.state.past == workers[partition].state.past

        run(story())

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("what", [LEDGER, "state"])
    def test_the_first_write_of_an_epoch_may_fail(self, what: str, when: When) -> None:
        async def story() -> None:
            states = self._states()
            log, reference = await self._closed(states)
            await log.append(SUBMISSIONS, 2, [self._reopened(reference, 2)])
            plan = FailAt(what, 0, when, bad_disk if what == "state" else lost_log)
            gated, state = GatedLog(log, plan.slow), GatedState(states[2], 2, plan)
            worker = await drained(lambda: registrar(gated, reference.people, 2, state))
            assert plan.failed
            found = await seen(log, 2)
            assert (found.repeated, found.seals[-1].epoch, found.seals[-1].offset) == (0, 1, 0)
            assert len(found.history) == len(reference.seen[2].history) + 1
            assert worker.state.epoch == 1

        run(story())

    def test_without_the_state_it_is_refused(self) -> None:
        async def story() -> None:
            log, reference = await self._closed(self._states())
            await log.append(SUBMISSIONS, 2, [self._reopened(reference, 2)])
            with pytest.raises(IntegrityError, match="needs the saved state"):
                await registrar(log, reference.people, 2, memory_state(2)).drain()

        run(story())

    @pytest.mark.parametrize("wrong", [{"epoch": 2}, {"index": 0}, {"leaf": "00" * 32}, None])
    def test_a_log_that_begins_otherwise_is_refused(self, wrong: dict[str, object] | None) -> None:
        async def story() -> None:
            states = self._states()
            log, reference = await self._closed(states)
            if wrong is None:
                step = reference.people.say("RU-OMS", "request/1", StepTaken(step="x"), id="x")
                first = step.message()
            else:
                first = self._reopened(reference, 2, **wrong)
            before = await log.end(LEDGER, 2)
            await log.append(SUBMISSIONS, 2, [first])
            with pytest.raises(IntegrityError, match=r"begins with submissions\.reopened"):
                await registrar(log, reference.people, 2, states[2]).drain()
            assert await log.end(LEDGER, 2) == before

        run(story())

    def test_one_signature_does_not_open_an_epoch(self) -> None:
        async def story() -> None:
            states = self._states()
            log, reference = await self._closed(states)
            both = self._reopened(reference, 2)
            one = msgspec.structs.replace(both, headers=both.headers[:-1])
            await log.append(SUBMISSIONS, 2, [one])
            with pytest.raises(IntegrityError, match="NOT_ALLOWED"):
                await registrar(log, reference.people, 2, states[2]).drain()

        run(story())

    def test_a_reopening_amid_a_log_is_refused_and_recorded(self) -> None:
        async def story() -> None:
            reference = await reference_of(2)
            log = memory_with(reference.submissions)
            log._clock = ticking_on(reference)
            await log.append(SUBMISSIONS, 2, [self._reopened(reference, 2)])
            await registrar(log, reference.people, 2, memory_state(2)).drain()
            found = await seen(log, 2)
            check_answers(await everything(log, SUBMISSIONS, 2), found)
            assert found.dispositions[0, len(reference.submissions[2])] == 18

        run(story())


def ticking_on(reference: Reference) -> Callable[[], int]:
    """A clock that begins after everything that was submitted."""
    tick = ticking()
    last = max(stored.timestamp for messages in reference.submissions for stored in messages)
    return lambda: last + tick() % 10**9
