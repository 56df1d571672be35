"""From an application's transaction to the ledger and back into its row, on real logs and databases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from infra.adapters import broker
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.keys import KeyFile, write_key
from infra.adapters.pg_listen import listen
from infra.config import Config, load
from infra.reading import RegisterFollower
from infra.relaying import RegisterHands
from ledger.catalogue.own import StepTaken
from ledger.errors import KeyFault
from ledger.event import read_event
from ledger.ids import Kid
from ledger.log import SUBMISSIONS
from ledger.signature import encode_base64
from producers.outbox_rows import OutboxRow, retry
from producers.outbox_schema import channel_of
from producers.outbox_store import OutboxStore
from producers.relay import Limits, Relay
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import check_all, seen
from tests.faults.world import People, office
from tests.integration.stage import Stage, stage
from tests.keys import Signer
from tests.outboxes import OFFICE, Desk, Keys, desk_at, relay_of, settled
from tests.postgres_fixture import PostgresServer

PEOPLE = People(2, "outboxes")


@asynccontextmanager
async def scene(
    place: Place, url: str, folder: Path, keys: Keys | None = None
) -> AsyncIterator[tuple[Stage, Desk, OutboxStore, Relay]]:
    """An open ledger, an application and a relay between them."""
    async with stage(place, PEOPLE, folder) as ledger:
        await ledger.open()
        with desk_at(url, PEOPLE, folder) as desk, desk.store() as store:
            relay = relay_of(store, ledger.log, PEOPLE, keys)
            try:
                yield ledger, desk, store, relay
            finally:
                await relay.close()


async def sealed_events(ledger: Stage) -> list[tuple[str, str]]:
    """Subject and id of every case event in the ledger, in the order of each partition; checks the whole ledger too."""
    found = []
    for view in await check_all(ledger.log, PEOPLE.ledger_id, PEOPLE.partitions):
        events = [read_event(value or b"") for _, _, value, _ in view.history]
        found += [(e.subject, e.id) for e in events if e.subject != "register"]
    return found


def ids_of(rows: Sequence[OutboxRow], subject: str) -> list[tuple[str, str]]:
    return [(row.subject, row.event_id) for row in rows if row.subject == subject]


def test_what_is_committed_is_one_record_and_what_is_rolled_back_none(
    place: Place, store_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with scene(place, store_url, tmp_path) as (ledger, desk, store, relay):
            for n in range(20):
                with desk.engine.connect() as connection:
                    desk.enter(connection, f"request/{n % 4}", str(n))
                    connection.commit() if n % 3 else connection.rollback()
            counts = await settled(store, relay, ledger.settle)
            rows = desk.rows()
            assert counts == {"sealed": 13, "held": 0}
            assert len(desk.entered()) == 13
            events = await sealed_events(ledger)
            assert len(events) == 13
            for subject in {row.subject for row in rows}:
                assert [e for e in events if e[0] == subject] == ids_of(rows, subject)
            assert all((row.leaf, row.seq) != (None, None) for row in rows)

    run(story())


def test_a_refused_event_is_in_its_row_and_the_rest_goes_on(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, relay):
            desk.act("request/1", "first")
            stale = desk.act("request/1", "rests on nothing", expectedseq=7)
            desk.act("request/1", "rests on the refused one", expectedseq=2)
            desk.act("request/1", "rests on nobody")
            desk.put("request/2", StepTaken(step="by a stranger"), desk.outbox(Signer(OFFICE, "never enrolled")))
            desk.act("request/2", "elsewhere")
            await settled(store, relay, ledger.settle)
            rows = desk.rows()
            assert [row.state for row in rows] == ["sealed", "refused", "refused", "sealed", "refused", "sealed"]
            reasons = [row.reason for row in rows]
            assert reasons == [None, "sequence-conflict", "sequence-conflict", None, "unknown-key", None]
            assert (rows[1].id, rows[1].expected, rows[1].found) == (stale, "1, the subject's head", "7")
            assert await ledger.log.end(SUBMISSIONS, rows[0].partition or 0) >= 4

    run(story())


def test_a_relay_that_starts_finds_the_answers_to_what_another_submitted(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, relay):
            desk.act("request/1", "sealed meanwhile")
            desk.act("request/1", "refused meanwhile", expectedseq=9)
            assert await relay.step() == 2
            await relay.close()  # before anything was decided
            await ledger.settle()
            assert desk.states() == ["submitted", "submitted"]
            ends = [await ledger.log.end(SUBMISSIONS, p) for p in range(2)]
            second = relay_of(store, ledger.log, PEOPLE)
            await settled(store, second, ledger.settle)
            await second.close()
            assert desk.states() == ["sealed", "refused"]
            assert [await ledger.log.end(SUBMISSIONS, p) for p in range(2)] == ends, "nothing was sent again"

    run(story())


def test_what_was_submitted_and_not_marked_is_a_duplicate_with_the_first_receipt(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, relay):
            id_ = desk.act("request/1", "sent twice")
            piece = store.take(10)
            ready, _ = await relay._sign(piece.rows)
            (first,) = await relay._publisher.submit_all([signed for _, signed in ready])  # and then the process dies
            await ledger.settle()
            counts = await settled(store, relay, ledger.settle)
            assert counts["sealed"] == 1
            (row,) = desk.rows()
            assert (row.id, row.offset) == (id_, first.offset)
            assert len(await sealed_events(ledger)) == 1

    run(story())


@pytest.mark.parametrize("relays", [2, 4])
def test_many_relays_at_once_seal_everything_once_and_in_order(
    place: Place, store_url: str, tmp_path: Path, relays: int
) -> None:
    async def story() -> None:
        async with scene(place, store_url, tmp_path) as (ledger, desk, store, _):
            stop = asyncio.Event()
            stores = [desk.store() for _ in range(relays)]
            logs = [place.open() for _ in range(relays)]
            few = Limits(rows=5, poll=0.02, hold=0.2)
            several = [relay_of(s, log, PEOPLE, limits=few) for s, log in zip(stores, logs, strict=True)]
            running = [asyncio.create_task(relay.run(stop)) for relay in several]
            for n in range(80):
                await asyncio.to_thread(desk.act, f"request/{n % 5}", str(n))
            while (counts := store.counts()).get("sealed", 0) < 80:
                assert not any(task.done() for task in running), counts
                await ledger.settle()
                await asyncio.sleep(0.02)
            stop.set()
            await asyncio.gather(*running)
            await ledger.settle()  # on SQLite one of them may have sent a row that another had sent and seen sealed
            for relay in several:
                await relay.close()
            for log in logs:
                await log.close()
            for one in stores:
                one.close()
            rows = desk.rows()
            events = await sealed_events(ledger)
            assert len(events) == 80
            for subject in {row.subject for row in rows}:
                assert [e for e in events if e[0] == subject] == ids_of(rows, subject)

    run(story())


# Signing by the relay


def key_file(signer: Signer) -> KeyFile:
    return KeyFile(signer.kid, "ed25519", "sign", encode_base64(signer.public_key), encode_base64(signer.seed))


def config_at(folder: Path) -> Config:
    return load({"ledger": f"file:{folder}", "data": str(folder / "data")}, environ={})


@asynccontextmanager
async def keyed(ledger: Stage, store: OutboxStore, folder: Path) -> AsyncIterator[Relay]:
    """A relay that signs with the keys in a folder, by the register."""
    register = RegisterFollower(ledger.log, PEOPLE.ledger_id)
    hands = RegisterHands(config_at(folder), register)
    relay = relay_of(store, ledger.log, PEOPLE, hands)  # type: ignore[arg-type]
    try:
        yield relay
    finally:
        await relay.close()
        await register.close()


async def signed_by(ledger: Stage, event_id: str) -> list[str]:
    view = await seen(ledger.log, 0)
    for (_, _, value, _), seal in zip(view.history, view.seals, strict=True):
        if read_event(value or b"").id == event_id:
            return [kid for kid, _ in seal.sigs]
    raise AssertionError(f"no record of {event_id}")


def test_a_register_command_is_signed_when_it_is_sent_with_the_key_then_in_force(place: Place, tmp_path: Path) -> None:
    """The key that was there when the second command was put is revoked before the relay comes to it."""

    async def story() -> None:
        fresh, authority = Signer("RU-PGO", "after the rotation"), PEOPLE.authorities[0]
        for key in (PEOPLE.coordinator, fresh):
            write_key(tmp_path / "data" / "keys", key_file(key))
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, _):
            outbox = desk.outbox(PEOPLE.coordinator, office="RU-PGO")
            async with keyed(ledger, store, tmp_path) as relay:
                desk.put("register", office("RU-KGN"), outbox, id="before")
                await settled(store, relay, ledger.settle)
                desk.put("register", office("RU-TYU"), outbox, id="after")
                await ledger.publish(PEOPLE.say("RU-PGO", "register", PEOPLE.granting(fresh), authority, id="grant"))
                revoked = PEOPLE.revoking(PEOPLE.coordinator)
                await ledger.publish(PEOPLE.say("RU-PGO", "register", revoked, authority, id="revoke"))
                await settled(store, relay, ledger.settle)
            assert desk.states() == ["sealed", "sealed"]
            assert await signed_by(ledger, "before") == [PEOPLE.coordinator.kid]
            assert await signed_by(ledger, "after") == [fresh.kid]

    run(story())


def test_what_nobody_here_can_sign_is_held_with_the_reason_until_the_key_comes(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, _):
            desk.put("register", office("RU-KGN"), desk.outbox(office="RU-PGO", sign="relay"))
            desk.put("request/1", StepTaken(step="signed by the relay"), desk.outbox(sign="relay"))
            desk.act("request/1", "behind it")
            desk.act("request/2", "elsewhere")
            async with keyed(ledger, store, tmp_path) as relay:
                counts = await settled_but(store, relay, ledger, waiting=3)
                assert counts == {"waiting": 3, "sealed": 1, "held": 2}
                first, second, third, _ = desk.rows()
                assert "expected an authority key or a sign key of a coordinating unit of RU-PGO" in (first.held or "")
                assert "expected an enrolled sign key of RU-OMS" in (second.held or "")
                assert third.held is None
                for key in (PEOPLE.coordinator, PEOPLE.offices[OFFICE]):
                    write_key(tmp_path / "data" / "keys", key_file(key))
                await asyncio.to_thread(retry, store, [first.id, second.id])
                counts = await settled(store, relay, ledger.settle)
            assert counts == {"sealed": 4, "held": 0}
            events = [e for e in await sealed_events(ledger) if e[0] == "request/1"]
            assert events == ids_of(desk.rows(), "request/1")

    run(story())


async def settled_but(store: OutboxStore, relay: Relay, ledger: Stage, *, waiting: int) -> dict[str, int]:
    while True:
        await relay.step()
        await ledger.settle()
        await asyncio.sleep(0.02)
        counts = store.counts()
        if counts.get("waiting") == waiting and not counts.get("submitted"):
            return counts


def test_a_key_that_was_revoked_between_put_and_relay_is_refused_and_another_may_sign_the_same_bytes(
    place: Place, tmp_path: Path
) -> None:
    async def story() -> None:
        keys = Keys(lambda name, of: [fresh])
        fresh = Signer(OFFICE, "after the rotation")
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path, keys) as (ledger, desk, store, relay):
            id_ = desk.act("request/1", "signed too early")
            before = desk.event(id_)[0]
            await ledger.publish(PEOPLE.say("RU-PGO", "register", PEOPLE.granting(fresh), id="grant"))
            revoked = PEOPLE.revoking(PEOPLE.offices[OFFICE])
            await ledger.publish(PEOPLE.say("RU-PGO", "register", revoked, id="revoke"))
            await settled(store, relay, ledger.settle)
            assert [row.reason for row in desk.rows()] == ["key-not-valid"]
            await asyncio.to_thread(retry, store, [id_], sign_anew=True)
            await settled(store, relay, ledger.settle)
            assert desk.states() == ["sealed"]
            value, signatures = desk.event(id_)
            assert value == before
            assert (signatures or "").startswith(fresh.kid)
            assert keys.asked == [("step.taken", OFFICE)]

    run(story())


def test_named_keys_sign_for_their_own_offices_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        key = PEOPLE.offices[OFFICE]
        monkeypatch.setenv("OMS", msgspec.json.encode(key_file(key)).decode())
        config = msgspec.structs.replace(config_at(tmp_path), key=("env:OMS",))
        place = Place(str(tmp_path / "folder"))
        async with stage(place, PEOPLE, tmp_path) as ledger:
            await ledger.open()
            register = RegisterFollower(ledger.log, PEOPLE.ledger_id)
            hands = RegisterHands(config, register)
            assert [s.kid for s in await hands.signers("step.taken", OFFICE)] == [Kid(key.kid)]
            with pytest.raises(KeyFault, match="expected a key of RU-SAR among the named ones"):
                await hands.signers("step.taken", "RU-SAR")
            await register.close()

    run(story())


# When things are away


@pytest.mark.kafka
@pytest.mark.slow
def test_the_broker_goes_away_and_comes_back(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("broker")
    running = broker.start(folder)

    async def story() -> None:
        place = Place("away", running.bootstrap)
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, _):
            log = KafkaLog(running.bootstrap, "away", 5.0)
            relay = relay_of(store, log, PEOPLE)
            stop = asyncio.Event()
            task = asyncio.create_task(relay.run(stop))
            desk.act("request/1", "before")
            await until(store, "submitted", 1)
            broker.kill_node(folder, 1)
            for n in range(10):
                desk.act("request/1", str(n))
            with pytest.raises(AssertionError):
                await until(store, "submitted", 11, seconds=4)
            broker.restart_node(folder, 1)
            await until(store, "submitted", 11, seconds=60)
            await ledger.settle()
            await until(store, "sealed", 11, seconds=60)
            stop.set()
            await task
            await relay.close()
            await log.close()
            assert await sealed_events(ledger) == ids_of(desk.rows(), "request/1")

    try:
        run(story())
    finally:
        broker.stop(folder)


async def until(store: OutboxStore, state: str, number: int, seconds: float = 30.0) -> None:
    """Until at least so many rows came as far as this state."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    further = {"submitted": ("submitted", "sealed"), "sealed": ("sealed",)}[state]
    while True:
        counts = await asyncio.to_thread(store.counts)
        if sum(counts.get(s, 0) for s in further) >= number:
            return
        assert loop.time() < deadline, counts
        await asyncio.sleep(0.05)


def test_the_database_is_killed_and_started_again(own_postgres: PostgresServer, tmp_path: Path) -> None:
    url = own_postgres.create("killed")

    async def story() -> None:
        place = Place(str(tmp_path / "folder"))
        async with scene(place, url, tmp_path) as (ledger, desk, store, relay):
            stop = asyncio.Event()
            task = asyncio.create_task(relay.run(stop))
            work = asyncio.create_task(working(ledger))
            for n in range(30):
                await asyncio.to_thread(desk.act, f"request/{n % 3}", str(n))
            own_postgres.kill()
            with pytest.raises(sa.exc.OperationalError):
                desk.act("request/1", "while it is away")
            await asyncio.sleep(1.0)
            own_postgres.start()
            desk.engine.dispose()
            for n in range(30, 60):
                await asyncio.to_thread(desk.act, f"request/{n % 3}", str(n))
            await until(store, "sealed", 60, seconds=60)
            stop.set()
            await task
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            rows, events = desk.rows(), await sealed_events(ledger)
            assert len(rows) == len(events) == len(desk.entered()) == 60
            for subject in {row.subject for row in rows}:
                assert [e for e in events if e[0] == subject] == ids_of(rows, subject)

    run(story())


async def working(ledger: Stage) -> None:
    while True:
        await ledger.settle()
        await asyncio.sleep(0.05)


def test_a_commit_wakes_whoever_listens_and_a_rollback_does_not(postgres_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        with desk_at(postgres_url, PEOPLE, tmp_path) as desk:
            wake = asyncio.Event()
            task = asyncio.create_task(listen(postgres_url, channel_of(desk.table), wake))
            await asyncio.wait_for(wake.wait(), 10)  # it listens now
            wake.clear()
            with desk.engine.connect() as connection:
                desk.enter(connection, "request/1", "rolled back")
                await asyncio.sleep(0.3)
                assert not wake.is_set()
                connection.rollback()
            await asyncio.sleep(0.3)
            assert not wake.is_set()
            await asyncio.to_thread(desk.act, "request/1", "committed")
            await asyncio.wait_for(wake.wait(), 10)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run(story())


def test_a_relay_that_is_woken_does_not_wait_for_its_next_look(tmp_path: Path) -> None:
    async def story() -> None:
        place = Place(str(tmp_path / "folder"))
        async with scene(place, f"sqlite:///{tmp_path}/app.db", tmp_path) as (ledger, desk, store, _):
            relay = relay_of(store, ledger.log, PEOPLE, limits=Limits(poll=3600.0))
            stop = asyncio.Event()
            task = asyncio.create_task(relay.run(stop))
            await asyncio.sleep(0.3)
            desk.act("request/1", "woken for")
            relay.wake.set()
            await until(store, "submitted", 1)
            stop.set()
            await asyncio.wait_for(task, 30)
            await relay.close()

    run(story())
