"""The schema's steps: they lead where ``schema.py`` stands, keep every row, and are made once, by one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ledger.errors import ConfigError
from projections import migrating
from projections.engine import make_engine, open_engine, parse_url
from projections.migrating import Step, read_revision, steps
from projections.queries import Queries
from projections.schema import REVISION, REVISIONS, metadata
from projections.store import Store
from tests.ledgers import TallyFold

FOLD = TallyFold()
FIRST_RELEASE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "store-0.1.0.json").read_bytes())


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    """An engine that looks at nothing by itself."""
    made = make_engine(parse_url(store_url))
    yield made
    made.dispose()


def as_of_first_release(engine: sa.Engine) -> None:
    """Make a store of the first release, with rows."""
    with engine.begin() as connection:
        for statement in FIRST_RELEASE["tables"][engine.dialect.name]:
            connection.exec_driver_sql(statement)
        for name, rows in FIRST_RELEASE["rows"].items():
            for row in rows:
                values = {k: bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for k, v in row.items()}
                columns = ", ".join(f'"{column}"' for column in values)
                places = ", ".join(f":{column}" for column in values)
                connection.execute(sa.text(f'INSERT INTO "{name}" ({columns}) VALUES ({places})'), values)
        if engine.dialect.name == "postgresql":  # it had counted by itself
            connection.exec_driver_sql("SELECT setval('generations_id_seq', (SELECT max(id) FROM generations))")


@pytest.fixture
def old(engine: sa.Engine) -> sa.Engine:
    """The store of the first release, with rows."""
    as_of_first_release(engine)
    return engine


def shape(engine: sa.Engine) -> set[tuple[Any, ...]]:
    """All that a database says of its tables and indexes."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            said = connection.execute(sa.text("SELECT name, sql FROM sqlite_master")).all()
            return {(name, " ".join((sql or "").replace('"', "").split()).lower()) for name, sql in said}
        columns = connection.execute(
            sa.text(
                "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, "
                "character_maximum_length, collation_name FROM information_schema.columns "
                "WHERE table_schema = 'public'"
            )
        )
        indexes = connection.execute(sa.text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"))
        return {tuple(row) for row in (*columns, *indexes)}


def revision(engine: sa.Engine) -> str | None:
    with engine.begin() as connection:
        return read_revision(connection, "here")


class TestTheSteps:
    def test_the_last_step_is_the_one_that_the_schema_names(self) -> None:
        assert steps(None)[-1].revision == REVISION

    def test_each_step_says_what_it_does_and_how_far_it_is(self) -> None:
        every = steps(None)
        assert [step.number for step in every] == list(range(1, len(every) + 1))
        assert {step.of for step in every} == {len(every)}
        assert all(step.does for step in every)
        assert steps("0001")[0] == Step("0002", "table poison: the record that a fold cannot digest", 1, len(every) - 1)
        assert steps(REVISION) == steps("9999") == []

    def test_they_make_what_the_schema_says(self, store_url: str) -> None:
        engine = open_engine(store_url)
        with engine.begin() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": REVISIONS, "compare_type": True, "compare_server_default": True}
            )
            assert compare_metadata(context, metadata) == []
        engine.dispose()

    def test_they_make_it_to_the_letter(self, engine: sa.Engine, store_url: str) -> None:
        open_engine(store_url).dispose()
        stepped = shape(engine)
        with engine.begin() as connection:
            metadata.drop_all(connection)
            metadata.create_all(connection)
        assert shape(engine) == stepped

    def test_a_difference_would_be_seen(self, engine: sa.Engine, store_url: str) -> None:
        open_engine(store_url).dispose()
        before = shape(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP INDEX cases_state")
            connection.exec_driver_sql("CREATE INDEX cases_state ON cases (state)")
            context = MigrationContext.configure(connection, opts={"version_table": REVISIONS})
            assert compare_metadata(context, metadata) != []
        assert shape(engine) != before


class TestAnOlderStore:
    def test_it_is_refused_until_somebody_says_so(self, old: sa.Engine, store_url: str) -> None:
        with pytest.raises(
            ConfigError, match=r"schema 0004 .* found 0001, of an older release.*rogatory store migrate"
        ):
            Store.open(store_url)
        assert revision(old) == "0001"

    def test_the_first_release_is_brought_up_and_its_rows_are_made_anew(self, old: sa.Engine, store_url: str) -> None:
        told: list[Step] = []
        open_engine(store_url, migrate=True, told=told.append).dispose()
        assert told == steps("0001")
        with Store.open(store_url) as store:
            assert store.generations() == []
            for table in ("positions", "places", "history", "poison"):
                with store.reading() as connection:
                    assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
            ledger_id, last = (FIRST_RELEASE["rows"]["generations"][-1][name] for name in ("ledger_id", "id"))
            generation = store.live(FOLD, ledger_id)
            assert generation.id == last + 1  # the number of a build that is gone is never given again
            assert store.load(generation, 0).next == 0  # so the next reader takes the ledger from its beginning
            assert Queries(store, FOLD, ledger_id).positions().value == []
        assert revision(old) == REVISION

    def test_it_comes_to_the_same_tables_as_a_new_one(self, old: sa.Engine, store_url: str) -> None:
        open_engine(store_url, migrate=True).dispose()
        upgraded = shape(old)
        with old.begin() as connection:
            metadata.drop_all(connection)
            connection.exec_driver_sql(f"DROP TABLE {REVISIONS}")
        open_engine(store_url).dispose()
        assert shape(old) == upgraded

    def test_the_first_release_refuses_it_afterwards(self, old: sa.Engine, store_url: str) -> None:
        open_engine(store_url, migrate=True).dispose()
        with old.begin() as connection:  # it looked for its version there, and else for tables of its names
            names = set(sa.inspect(connection).get_table_names())
        assert "store" not in names
        assert "generations" in names

    def test_a_step_that_fails_leaves_the_store_as_it_was(self, old: sa.Engine, store_url: str) -> None:
        with old.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE poison (x INTEGER)")
        before = shape(old)
        with pytest.raises(sa.exc.DBAPIError):
            open_engine(store_url, migrate=True)
        assert shape(old) == before
        assert revision(old) == "0001"

    def test_to_migrate_twice_is_to_migrate_once(self, old: sa.Engine, store_url: str) -> None:
        told: list[Step] = []
        open_engine(store_url, migrate=True).dispose()
        open_engine(store_url, migrate=True, told=told.append).dispose()
        assert told == []

    def test_one_migrates_and_the_others_find_it_done(self, old: sa.Engine, store_url: str) -> None:
        told: list[Step] = []

        def migrated(_: int) -> None:
            open_engine(store_url, migrate=True, told=told.append).dispose()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(migrated, range(8)))
        assert told == steps("0001")

    def test_another_process_waits_for_the_one_that_migrates(
        self, old: sa.Engine, store_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock within the process is another one for each caller here, as it is for processes."""
        begun, goes_on = threading.Event(), threading.Event()
        done: list[str] = []

        def slow(step: Step) -> None:
            begun.set()
            assert goes_on.wait(20)
            done.append(f"first {step.revision}")

        def second() -> None:
            assert begun.wait(20)
            monkeypatch.setattr(migrating, "_alembic", threading.Lock())
            goes_on_soon.start()
            open_engine(store_url, migrate=True, told=lambda step: done.append(f"second {step.revision}")).dispose()
            done.append("second found it done")

        goes_on_soon = threading.Timer(0.3, goes_on.set)
        with ThreadPoolExecutor(2) as threads:
            waiting = threads.submit(second)
            open_engine(store_url, migrate=True, told=slow).dispose()
            waiting.result()
        assert done == [*(f"first {step.revision}" for step in steps("0001")), "second found it done"]


class TestOtherStores:
    def test_a_newer_one_is_left_to_its_release(self, engine: sa.Engine, store_url: str) -> None:
        open_engine(store_url).dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE {REVISIONS} SET version_num = '0099'")
        for migrate in (False, True):
            with pytest.raises(ConfigError, match=r"found 0099: a newer release made it; use that one"):
                open_engine(store_url, migrate=migrate)

    def test_one_without_its_revision_is_not_guessed_at(self, engine: sa.Engine, store_url: str) -> None:
        open_engine(store_url).dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {REVISIONS}")
        with pytest.raises(ConfigError, match=r"expected one schema revision .*found \[\]"):
            open_engine(store_url, migrate=True)

    def test_a_first_release_of_a_version_unknown_is_refused(self, old: sa.Engine, store_url: str) -> None:
        with old.begin() as connection:
            connection.exec_driver_sql("UPDATE store SET version = 7")
        with pytest.raises(ConfigError, match="found store version 7"):
            open_engine(store_url, migrate=True)

    def test_tables_of_other_programs_beside_it_are_no_matter(self, engine: sa.Engine, store_url: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
        open_engine(store_url).dispose()
        with engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["theirs"]
