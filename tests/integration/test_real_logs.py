"""Event logs of other systems, imported, projected, rebuilt, checked and imported again, on a folder and on Kafka.

Two logs are real: the receipt phase of building permits (CoSeLoG, 4TU) and the incidents of BPI Challenge 2013.  They
are looked for in the folder that ROGATORY_TEST_DATA names; what always runs are the small excerpts in ``tests/data``.
Everything is done by the command line, as real processes; the tests then look at what stands in the ledger and in the
rows.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from aiokafka.admin import AIOKafkaAdminClient

from infra.adapters.kafka_settings import names
from infra.config import load
from infra.projecting import FOLD
from infra.wiring import open_ledger
from ledger.event import read_event
from ledger.log import LEDGER
from producers.importers.drafts import drafts
from producers.importers.mapping import LogMap
from producers.importers.xes import read_cases, survey
from projections.cases import CasesFacts
from projections.schema import PROJECTIONS

ROOT = Path(__file__).parents[2]
EXCERPTS = (ROOT / "tests" / "data" / "inquiries.xes", ROOT / "tests" / "data" / "odd.xes")
DATA = Path(os.environ.get("ROGATORY_TEST_DATA", ROOT.parent / "shared" / "data"))
REAL = {DATA / "receipt.xes.gz": (1434, 8577), DATA / "bpic2013-incidents.xes.gz": (7554, 65533)}
"""Cases and events."""
OFFICE = "RU-OMS"
REGISTER = 3
"""Register events of the ledger: its opening, the office, the key."""
STEP_SECONDS = 600

pytestmark = pytest.mark.timeout(1200)  # with what the fixtures take, on two busy cores


class Expected(msgspec.Struct, frozen=True):
    """What the log files say, without any ledger: the ids of each subject's events, in order."""

    events: dict[str, list[str]]

    @property
    def total(self) -> int:
        return sum(map(len, self.events.values()))


class Told(msgspec.Struct, frozen=True):
    """What the commands said, one after the other, on one ledger."""

    folder: Path
    imports: list[dict[str, Any]]
    digest: dict[str, Any]
    rebuilt: dict[str, Any]
    checked: dict[str, Any]
    again: list[dict[str, Any]]
    sizes: list[int]
    """Messages in each partition: before and after the second import."""
    sizes_again: list[int]
    seconds: dict[str, float]


def ran(folder: Path, *arguments: str) -> str:
    """What a command prints, run in a folder with its settings file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROGATORY_")}
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.main", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "ROGATORY_TIMEOUT": "120"},
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def rogatory(folder: Path, *arguments: str) -> Any:
    """The same, as JSON."""
    return json.loads(ran(folder, *arguments, "--json"))


def tell(folder: Path, sources: tuple[Path, ...], address: list[str]) -> Told:
    """Go the whole way with some logs."""
    seconds: dict[str, float] = {}

    def timed(step: str, *arguments: str) -> Any:
        start = time.monotonic()
        said = rogatory(folder, *arguments)
        seconds[step] = round(time.monotonic() - start, 1)
        return said

    def imported(step: str) -> list[dict[str, Any]]:
        options = ("--office", OFFICE, "--work", "--wait", "300")
        return [timed(f"{step} {source.name}", "import", "xes", str(source), *options) for source in sources]

    def sizes() -> list[int]:
        return [part["ledger"] for part in rogatory(folder, "ledger", "show")["partitions"]]

    name = address[1].rpartition("/")[2] if address else "real"
    rogatory(folder, "ledger", "open", name, "--partitions", "4", *address)
    ran(folder, "run", "all", "--until-idle")
    rogatory(folder, "register", "office", OFFICE, "--name", "Омская область", "--tz", "Asia/Omsk", "--work")
    kid = rogatory(folder, "keys", "new", OFFICE)["kid"]
    rogatory(folder, "keys", "enrol", kid, "--work", "--wait-all")
    imports = imported("import")
    timed("project", "status", "--update", "--count", "state")
    return Told(
        folder=folder,
        imports=imports,
        digest=timed("digest", "digest"),
        rebuilt=timed("rebuild", "rebuild"),
        checked=timed("check", "check"),
        sizes=sizes(),
        again=imported("import again"),
        sizes_again=sizes(),
        seconds=seconds,
    )


@pytest.fixture(scope="module", params=["excerpts", pytest.param("real", marks=pytest.mark.slow)])
def sources(request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """The log files."""
    if request.param == "excerpts":
        return EXCERPTS
    if absent := [path.name for path in REAL if not path.is_file()]:
        pytest.skip(f"no {', '.join(absent)} in {DATA}; ROGATORY_TEST_DATA names the folder that has the real logs")
    return tuple(REAL)


@pytest.fixture(scope="module")
def expected(sources: tuple[Path, ...]) -> Expected:
    """What must be in the ledger."""
    events: dict[str, list[str]] = {}
    for source in sources:
        for draft in drafts(read_cases(source), LogMap(), survey(source).digest, bytes(16)):
            assert draft.id is not None
            events.setdefault(draft.subject, []).append(draft.id)
    return Expected(events)


@pytest.fixture(scope="module")
def stories(
    request: pytest.FixtureRequest, sources: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Told]]]:
    """Both logs, told side by side; Kafka's only if a test was selected that asks for it."""
    mine = [item for item in request.session.items if item.path == request.path]
    addresses: dict[str, list[str]] = {"folder": []}
    if any(item.get_closest_marker("kafka") for item in mine):
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        addresses["kafka"] = ["--ledger", f"kafka://{bootstrap}/real-{uuid.uuid4().hex[:12]}"]
    with ThreadPoolExecutor() as pool:
        yield {
            place: pool.submit(tell, tmp_path_factory.mktemp(place), sources, address)
            for place, address in addresses.items()
        }
    if "kafka" in addresses:
        asyncio.run(_delete(bootstrap, addresses["kafka"][1].rpartition("/")[2]))


async def _delete(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names(name).values()))
    finally:
        await admin.close()


@pytest.fixture(params=["folder", pytest.param("kafka", marks=pytest.mark.kafka)])
def told(request: pytest.FixtureRequest, stories: dict[str, Future[Told]]) -> Told:
    """One of the two."""
    return stories[request.param].result()


async def admitted(folder: Path) -> dict[str, list[str]]:
    """The ids of each subject's records, in the order of the ledger."""
    found: dict[str, list[str]] = {}
    async with open_ledger(load({}, file=folder / "rogatory.toml", environ={}), lambda _: None) as ledger:
        for partition in range(ledger.partitions):
            reader = ledger.log.reader(LEDGER, partition)
            while piece := await reader.read(2000):
                for stored in piece:
                    event = read_event(stored.value or b"")
                    found.setdefault(event.subject, []).append(event.id)
    return found


async def rows(folder: Path) -> dict[str, dict[str, Any]]:
    """The live rows of requests, as they stand in the store."""
    table = PROJECTIONS[FOLD.name]
    async with open_ledger(load({}, file=folder / "rogatory.toml", environ={}), lambda _: None) as ledger:
        with ledger.store() as store, store.engine.begin() as connection:
            live = store.live(FOLD, ledger.ledger_id).id
            found = connection.execute(sa.select(table).where(table.c.generation == live, table.c.sort == "request"))
            return {row.subject: dict(row._mapping) for row in found}


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the time of admission, and without what is computed over it.

    Compared are subject, partition, number of records and their indices, and all facts and columns: state, ball, open
    items, remarks, effective times, acts.  Left out: the leaf (its record's seal has the time of admission), the row's
    digest (it has the leaf), ``updated_at``, the times of admission in the facts, keys and references to people, which
    are each ledger's own, and the number of the build.
    """
    facts = msgspec.json.decode(row["facts"])
    assert facts["status"]["last"].pop("admitted") == row["updated_at"]
    acts = msgspec.json.decode(row["facts"], type=CasesFacts).file
    assert acts is not None
    facts["file"] = [
        (act.name, act.id, act.index, act.seq, act.claimed, msgspec.json.decode(act.data) | {"resource": None})
        for act in acts.acts
    ]
    left_out = ("leaf", "digest", "updated_at", "generation", "facts")
    return {**{name: value for name, value in row.items() if name not in left_out}, "facts": facts}


def test_every_event_is_in_the_ledger_once(told: Told, expected: Expected) -> None:
    found = asyncio.run(admitted(told.folder))
    ids = found.pop("register")
    assert {len(set(ids)), *Counter(ids).values()} == {REGISTER, 4}  # three events, each in all four partitions
    assert {subject: sorted(ids) for subject, ids in found.items()} == {
        subject: sorted(ids) for subject, ids in expected.events.items()
    }


def test_records_of_a_case_stand_in_the_order_of_its_log(told: Told, expected: Expected) -> None:
    found = asyncio.run(admitted(told.folder))
    assert all(found[subject] == ids for subject, ids in expected.events.items())


def test_the_import_says_how_much_it_added(told: Told, sources: tuple[Path, ...], expected: Expected) -> None:
    assert sum(said["admitted"] for said in told.imports) == expected.total
    assert all(said["duplicate"] == said["refused"] == 0 for said in told.imports)
    if sources == tuple(REAL):
        assert [(said["cases"], said["admitted"]) for said in told.imports] == list(REAL.values())


def test_every_case_has_a_status(told: Told, expected: Expected) -> None:
    found = asyncio.run(rows(told.folder))
    assert found.keys() == expected.events.keys()
    for subject, row in found.items():
        facts = msgspec.json.decode(row["facts"])
        assert row["state"] == "received"  # steps move no state
        assert row["seq"] == facts["status"]["records"] == len(facts["file"]["acts"]) == len(expected.events[subject])


@pytest.mark.kafka
def test_both_logs_give_the_same_rows(stories: dict[str, Future[Told]]) -> None:
    folder, kafka = (asyncio.run(rows(stories[place].result().folder)) for place in ("folder", "kafka"))
    assert folder.keys() == kafka.keys()
    for subject, row in folder.items():
        assert comparable(row) == comparable(kafka[subject])


def test_rebuilt_rows_have_the_same_digests(told: Told) -> None:
    assert told.rebuilt["compared"]
    assert told.rebuilt["same"]
    assert told.rebuilt["switched"]
    assert told.rebuilt["partitions"] == told.digest["partitions"]
    assert len({p["digest"] for p in told.digest["partitions"]}) == 4


def test_everything_in_the_ledger_is_sound(told: Told, expected: Expected) -> None:
    assert told.checked["sound"]
    assert sum(p["size"] for p in told.checked["partitions"]) == expected.total + 4 * REGISTER
    assert all(p["signatures"] >= p["size"] for p in told.checked["partitions"])


def test_a_second_import_adds_nothing(told: Told) -> None:
    assert [said["admitted"] for said in told.again] == [0] * len(told.again)
    assert [said["duplicate"] for said in told.again] == [said["submitted"] for said in told.imports]
    assert told.sizes_again == told.sizes == [p["size"] for p in told.checked["partitions"]]
