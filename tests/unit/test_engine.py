"""A store's URL, what the database is told, and which of its errors mean: not now."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.errors import ConfigError, StoreUnavailable
from projections.describing import describe
from projections.engine import make_engine, open_engine, parse_url, plain_url
from projections.store import Store
from projections.unavailable import answering
from tests.postgres_fixture import PostgresServer

SECRET = "s3cr3t-word"


class TestUrls:
    @pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
    def test_postgresql_is_reached_by_psycopg_however_it_is_written(self, scheme: str) -> None:
        assert parse_url(f"{scheme}://u@h/d").drivername == "postgresql+psycopg"

    def test_a_file_stays_a_file(self) -> None:
        assert parse_url("sqlite:///a/b.db").database == "a/b.db"

    @pytest.mark.parametrize(
        "wrong", ["nonsense", "nosuch://x/y", "mysql://u@h/d", "postgresql+psycopg2://u@h/d", "sqlite+aiosqlite:///x"]
    )
    def test_other_kinds_are_refused(self, wrong: str) -> None:
        with pytest.raises(ConfigError, match=r"expected a store such as sqlite:///store\.db or postgresql://"):
            parse_url(wrong)

    @pytest.mark.parametrize("wrong", ["sqlite://", "sqlite:///:memory:"])
    def test_a_database_in_memory_is_no_store(self, wrong: str) -> None:
        with pytest.raises(ConfigError, match="in memory"):
            Store.open(wrong)

    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://u:{SECRET}@h:port/d",
            f"postgresql://u:a@b:{SECRET}/d",
            f"nonsense {SECRET}",
            f"postgresql://u@h/d?statement_timeout={SECRET}",
        ],
    )
    def test_a_wrong_url_is_not_repeated(self, url: str) -> None:
        with pytest.raises(ConfigError) as caught:
            make_engine(parse_url(url))
        assert SECRET not in str(caught.value)

    def test_what_is_shown_has_no_password(self) -> None:
        url = f"postgresql://u:{SECRET}@h:5/d?password={SECRET}&sslpassword={SECRET}&sslmode=require"
        assert plain_url(url) == "postgresql://u:***@h:5/d?password=***&sslmode=require&sslpassword=***"

    def test_a_file_that_is_no_database_is_said_to_be_none(self, tmp_path: Path) -> None:
        (tmp_path / "x.db").write_text("this is not a database, but it is long enough to be taken for one " * 20)
        with pytest.raises(ConfigError, match="found: a file that is no database"):
            Store.open(f"sqlite:///{tmp_path}/x.db")

    def test_a_folder_that_is_absent_does_not_answer(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="unable to open"):
            Store.open(f"sqlite:///{tmp_path}/none/x.db")


class TestWhatPostgresqlIsTold:
    @pytest.fixture
    def settings(self, postgres_url: str) -> Iterator[Any]:
        engines: list[sa.Engine] = []

        def asked(query: str, name: str) -> str:
            engines.append(make_engine(parse_url(postgres_url + query)))
            with engines[-1].connect() as connection:
                return str(connection.execute(sa.text(f"SHOW {name}")).scalar())

        yield asked
        for engine in engines:
            engine.dispose()

    @pytest.mark.parametrize(
        ("query", "name", "value"),
        [
            ("", "application_name", "rogatory"),
            ("?application_name=mine", "application_name", "mine"),
            ("", "statement_timeout", "1min"),
            ("?statement_timeout=5s", "statement_timeout", "5s"),
            ("?statement_timeout=0", "statement_timeout", "0"),
            ("", "idle_in_transaction_session_timeout", "1min"),
            ("?options=-c%20work_mem%3D8MB", "work_mem", "8MB"),
            ("?options=-c%20work_mem%3D8MB", "statement_timeout", "1min"),
        ],
    )
    def test_ours_unless_the_url_says_otherwise(self, settings: Any, query: str, name: str, value: str) -> None:
        assert settings(query, name) == value

    def test_a_network_that_was_cut_is_noticed_within_half_a_minute(self, postgres_url: str) -> None:
        engine = make_engine(parse_url(postgres_url))
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with socket.socket(fileno=driver.fileno()) as taken:
                told = [
                    taken.getsockopt(socket.IPPROTO_TCP, option)
                    for option in (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
                ]
                taken.detach()
        engine.dispose()
        assert told == [20_000, 10, 5]

    def test_readers_have_one_snapshot_and_writers_see_what_was_committed(self, postgres_url: str) -> None:
        with Store.open(postgres_url) as store:
            show = sa.text("SHOW transaction_isolation")
            with store.reading() as reader, store.writing() as writer:
                assert reader.execute(show).scalar() == "repeatable read"
                assert writer.execute(show).scalar() == "read committed"
            with Store(store.engine).writing() as again:
                assert again.execute(show).scalar() == "read committed"


class TestNotNow:
    def test_a_port_that_nobody_listens_on(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with pytest.raises(StoreUnavailable, match="refused") as caught:
                open_engine(f"postgresql://u:{SECRET}@127.0.0.1:{port}/d")
        assert SECRET not in str(caught.value)

    def test_settings_that_the_server_does_not_know_are_no_matter_of_waiting(self, postgres_url: str) -> None:
        nobody = sa.make_url(postgres_url).set(username="nobody-of-ours", password=SECRET)
        nowhere = sa.make_url(postgres_url).set(database="nothing-of-ours", password=SECRET)
        for wrong in (nobody, nowhere):
            with pytest.raises(ConfigError, match=r"-of-ours.*does not exist") as caught:
                open_engine(wrong.render_as_string(hide_password=False))
            assert SECRET not in str(caught.value)
        with pytest.raises(ConfigError, match=r"lets us in.*nosuchoption"):
            open_engine(postgres_url + "?nosuchoption=1")

    def test_a_password_that_is_wrong_is_no_matter_of_waiting(self, own_postgres: PostgresServer) -> None:
        with psycopg.connect(own_postgres.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE with_password LOGIN PASSWORD 'right'")
        wrong = sa.make_url(own_postgres.url).set(username="with_password", password=SECRET)
        for use in (open_engine, describe):
            with pytest.raises(ConfigError, match=r"lets us in at .*authentication failed") as caught:
                use(wrong.render_as_string(hide_password=False))
            assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT pg_sleep(5)",  # longer than the statement timeout
            "DO $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$",
            "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$",
            "DO $$ BEGIN RAISE EXCEPTION 'serialization' USING ERRCODE = '40001'; END $$",
            "DO $$ BEGIN RAISE EXCEPTION 'slots' USING ERRCODE = '53300'; END $$",
            "SELECT pg_terminate_backend(pg_backend_pid())",
            "SET TRANSACTION READ ONLY; CREATE TABLE x (x INT)",  # as on a standby
        ],
    )
    def test_trying_again_may_help(self, postgres_url: str, statement: str) -> None:
        engine = make_engine(parse_url(f"{postgres_url}?statement_timeout=50ms"))
        with pytest.raises(StoreUnavailable) as caught, answering(), engine.begin() as connection:
            connection.exec_driver_sql(statement)
        assert "pg_sleep" not in str(caught.value)
        assert ("make room" in str(caught.value)) == ("53100" in statement)
        with engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        engine.dispose()

    @pytest.mark.parametrize("statement", ["SELECT nothing", "SELECT 1/0", "SELEC", "SELECT 'x'::int"])
    def test_a_fault_of_ours_stays_one(self, postgres_url: str, statement: str) -> None:
        engine = make_engine(parse_url(postgres_url))
        with pytest.raises(sa.exc.DBAPIError), answering(), engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def test_a_driver_that_is_used_directly_is_understood_too(self, postgres_url: str) -> None:
        connection = psycopg.connect(postgres_url)
        connection.close()
        with pytest.raises(StoreUnavailable, match="closed"), answering():
            connection.execute("SELECT 1")

    def test_a_file_that_another_process_writes_to(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/x.db"
        with Store.open(url) as store:
            holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            with store.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout = 1")
            with pytest.raises(StoreUnavailable, match="locked"), store.writing():
                pass
            holder.close()

    def test_a_disk_that_is_full(self, tmp_path: Path) -> None:
        with Store.open(f"sqlite:///{tmp_path}/x.db") as store:
            with store.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count = 1")
            with pytest.raises(StoreUnavailable, match="make room"), store.writing() as connection:
                connection.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(10000000) AS x")
            with store.reading() as connection:
                assert not sa.inspect(connection).has_table("big")

    def test_a_broken_constraint_of_a_file_stays_one(self, tmp_path: Path) -> None:
        with (
            Store.open(f"sqlite:///{tmp_path}/x.db") as store,
            pytest.raises(sa.exc.IntegrityError) as caught,
            store.writing() as connection,
        ):
            connection.execute(sa.text("INSERT INTO poison (reason) VALUES (:said)"), {"said": SECRET})
        assert SECRET not in str(caught.value)

    def test_connections_that_are_all_in_use(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="in use"), answering():
            raise sa.exc.TimeoutError

    def test_errors_of_others_pass(self) -> None:
        with pytest.raises(KeyError), answering():
            raise KeyError("x")
