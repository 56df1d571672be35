"""A store of the release before figures, brought to the newest schema: the next judgement makes figures of its rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from projections import migrating
from projections.compliance.judging import Judge
from projections.compliance.proof import verdict_digest
from projections.compliance.queries import Compliance
from projections.engine import make_engine, open_engine, parse_url
from projections.figures.answers import FiguresPage, Scope
from projections.figures.queries import Figures
from projections.schema import cells, postings, verdicts
from projections.store import Store
from projections.view import Generation
from tests.judgements import DAY, FOLD, RULES, T0, always, head_of, judged, step, taken, town
from tests.ledgers import Book

PARTITIONS = 2


def made_at(engine: sa.Engine, revision: str) -> None:
    """Bring an empty database to a step."""
    with migrating._alembic, engine.execution_options(writes=True).begin() as connection:
        config = migrating._config()
        config.attributes.update(connection=connection)
        command.upgrade(config, revision)


def copied(source: Store, target: sa.Engine) -> None:
    """Give a database of an earlier step the rows of a store, as far as it has places for them."""
    with target.begin() as to, source.reading() as rows:
        known = sa.MetaData()
        known.reflect(to)
        for table in known.tables.values():
            if table.name in ("rogatory_schema", "sqlite_sequence"):
                continue
            names = [column.name for column in table.c]
            quoted = ", ".join(f'"{name}"' for name in names)
            found = rows.exec_driver_sql(f"SELECT {quoted} FROM {table.name}").all()
            if found:
                to.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in found])
        if target.dialect.name == "postgresql":  # it had counted by itself
            to.exec_driver_sql("SELECT setval('generations_id_seq', (SELECT max(id) FROM generations))")


def figures(store: Store, book: Book, scope: Scope) -> FiguresPage:
    return Figures(Compliance(store, book.ledger_id, RULES)).page(scope, T0 + 60 * DAY)


def proofs(store: Store, generation: Generation) -> list[str]:
    return [verdict_digest(store, generation, partition).digest for partition in range(PARTITIONS)]


def number(store: Store, table: sa.Table) -> int:
    with store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0)


@pytest.mark.parametrize("grown", [False, True])
def test_a_judged_store_of_schema_0003_has_figures_after_the_next_judgement(
    store_url: str, tmp_path: Path, grown: bool
) -> None:
    """Given judged rows (and some that wait), then all wait after the step, and come to what a new store has."""
    book = town(12, PARTITIONS)
    with Store.open(f"sqlite:///{tmp_path}/donor.db") as donor:
        generation = taken(donor, book)
        judge = Judge(donor, generation, always())
        judged(judge, PARTITIONS)
        head_of(book, "RU-KGN")  # a second round
        taken(donor, book)
        judged(judge, PARTITIONS)
        if grown:
            step(book, 1)
            taken(donor, book)
        old = make_engine(parse_url(store_url))
        made_at(old, "0003")
        copied(donor, old)
        old.dispose()
        judged(judge, PARTITIONS)
        open_engine(store_url, migrate=True).dispose()
        with Store.open(store_url) as store:
            here = store.live(FOLD, book.ledger_id)
            assert here.id == generation.id
            assert (number(store, postings), number(store, cells), number(store, verdicts)) == (0, 0, 0)
            after = Judge(store, here, always())
            assert after.waiting() == 13
            assert figures(store, book, Scope()).basis.waiting == 13
            assert judged(after, PARTITIONS) == (None, 13)  # the round that it had
            assert proofs(store, here) == proofs(donor, generation)
            for table in (postings, verdicts):
                assert number(store, table) == number(donor, table) > 0
            for scope in (Scope(), Scope(partner="KZ", first=202503, last=202503), Scope(office="RU-KGN")):
                assert figures(store, book, scope).figures == figures(donor, book, scope).figures
