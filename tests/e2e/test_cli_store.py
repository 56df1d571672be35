"""``rogatory store``, and the whole way of the projections, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from infra.cli.options import UNAVAILABLE, USAGE
from projections.engine import make_engine, parse_url
from projections.schema import REVISION, REVISIONS
from tests.e2e.cli import Cli
from tests.unit.test_migrations import as_of_first_release

RECEIVED = '{"channel": "direct", "from": "KZ-B-01", "to": "RU-OMS", "translations": []}'
SECRET = "s3cr3t-word"


@pytest.fixture
def old(store_url: str) -> str:
    """The URL of a store of the first release."""
    engine = make_engine(parse_url(store_url))
    as_of_first_release(engine)
    engine.dispose()
    return store_url


class TestShow:
    def test_a_store_that_is_not_there_is_not_made(self, cli: Cli, place: Path) -> None:
        assert "no store there yet" in cli("store", "show").stdout
        assert cli.json("store", "show")["schema"] is None
        assert not (place / "rogatory-data" / "store.sqlite").exists()

    def test_it_says_how_far_each_generation_has_come(self, cli: Cli, place: Path, store_url: str) -> None:
        cli("run", "project", "--until-idle", "--store", store_url)
        cli("rebuild", "--keep", "--store", store_url)
        said = cli.json("store", "show", "--store", store_url)
        assert (said["schema"], said["newest"], said["pending"]) == (REVISION, REVISION, [])
        assert [g["state"] for g in said["generations"]] == ["old", "live"]
        shown = cli.json("digest", "--store", store_url)["partitions"]
        for generation in said["generations"]:
            assert [p["size"] for p in generation["partitions"]] == [p["size"] for p in shown]
        text = cli("store", "show", "--store", store_url).stdout
        assert f"schema {REVISION}, the newest" in text
        assert "cases version" in text

    def test_it_reads_a_store_of_an_older_release_and_says_what_to_do(self, cli: Cli, place: Path, old: str) -> None:
        text = cli("store", "show", "--store", old).stdout
        assert "schema 0001, of an older release: `rogatory store migrate`" in text
        assert "to do: 0002, table poison" in text
        assert cli.json("store", "show", "--store", old)["generations"][0]["partitions"] == [
            {"partition": 0, "next": 331, "size": 331}
        ]

    def test_a_password_is_in_nothing_that_is_printed(self, cli: Cli, place: Path, postgres_url: str) -> None:
        url = sa.make_url(postgres_url).set(password=SECRET).render_as_string(hide_password=False)
        for words in (["store", "show"], ["store", "show", "--json"], ["run", "project", "--until-idle", "-v"]):
            cli(*words, "--store", url)
        cli("rebuild", "--into", url, "--store", url, code=USAGE)
        closed = sa.make_url(url).set(port=1).render_as_string(hide_password=False)
        for words in (["store", "show"], ["store", "migrate"], ["status"]):
            cli(*words, "--store", closed, code=UNAVAILABLE)
        assert SECRET not in cli.printed
        assert "***" in cli.printed


class TestMigrate:
    def test_commands_refuse_an_older_store_until_it_is_migrated(self, cli: Cli, place: Path, old: str) -> None:
        refused = cli("status", "--store", old, code=USAGE)
        assert "rogatory store migrate" in refused.stderr
        done = cli("store", "migrate", "--store", old)
        assert "1 of 3: 0002, table poison" in done.stderr
        assert "2 of 3: 0003, projection cases" in done.stderr
        assert "3 of 3: 0004, tables of figures" in done.stderr
        assert f"has been brought to schema {REVISION}" in done.stdout
        cli("status", "--store", old)

    def test_what_is_new_already_stays_as_it_is(self, cli: Cli, place: Path) -> None:
        cli("status")
        assert "was already at schema" in cli("store", "migrate").stdout

    def test_an_empty_database_becomes_a_store(self, cli: Cli, place: Path, store_url: str) -> None:
        assert f"was made at schema {REVISION}" in cli("store", "migrate", "--store", store_url).stdout
        assert cli.json("store", "show", "--store", store_url)["schema"] == REVISION

    def test_a_newer_store_is_left_to_its_release(self, cli: Cli, place: Path, store_url: str) -> None:
        cli("status", "--store", store_url)
        engine = make_engine(parse_url(store_url))
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE {REVISIONS} SET version_num = '0099'")
        engine.dispose()
        assert "of a newer release" in cli("store", "show", "--store", store_url).stdout
        for words in (["store", "migrate"], ["status"]):
            assert "a newer release made it" in cli(*words, "--store", store_url, code=USAGE).stderr


def test_both_databases_give_the_same_answers_and_digests(cli: Cli, place: Path, postgres_url: str) -> None:
    cli("publish", "request/2025-1", "request.received", "--data", RECEIVED, "--office", "RU-OMS")
    answers = []
    for url in ("sqlite:///other.db", postgres_url):
        listed = cli.json("status", "--store", url)
        one = cli.json("status", "2025-1", "--store", url)
        answers.append(
            (listed["requests"], one["facts"], one["history"], cli.json("digest", "--store", url)["partitions"])
        )
        rebuilt = cli.json("rebuild", "--store", url)
        assert (rebuilt["same"], rebuilt["switched"]) == (True, True)
        assert rebuilt["partitions"] == answers[-1][-1]
    assert answers[0] == answers[1]
    assert len(answers[0][0]) == 1
