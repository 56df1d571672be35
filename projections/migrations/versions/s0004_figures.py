"""tables of figures; every subject is judged again by the next command, which counts it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Figures are made with verdicts, so every subject waits again."""
    op.create_table(
        "postings",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", _text(128), primary_key=True),
        sa.Column("part", _text(64), primary_key=True),
        sa.Column("item", _text(256), primary_key=True),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("partner", _text(64), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("office", sa.String(64), nullable=False),
        sa.Column("counterpart", sa.String(64), nullable=False),
        sa.Column("tag", _text(256), nullable=False),
        sa.Column("thing", _text(256), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("record", sa.BigInteger, nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("postings_part", "postings", ["generation", "part", "partner", "month"])
    op.create_index("postings_office", "postings", ["generation", "office", "part", "partner", "month"])
    things = sa.text("thing != ''")
    op.create_index(
        "postings_things",
        "postings",
        ["generation", "partner", "part", "month", "tag", "thing", "value", "currency", "subject"],
        sqlite_where=things,
        postgresql_where=things,
    )
    op.create_table(
        "cells",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partner", _text(64), primary_key=True),
        sa.Column("part", _text(64), primary_key=True),
        sa.Column("tag", _text(256), primary_key=True),
        sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        _statistics()
    _verdicts()


def _statistics() -> None:
    """What SQLite goes by to choose an index: rows in all, and to one value of the first columns.

    Without them it takes the one office of a question to be many. They are those of a year of 60,000 requests, and do
    not change, so that plans do not either.
    """
    op.execute("ANALYZE postings")  # makes the table that is written to here; there are no rows yet
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.bulk_insert(
        statistics,
        [
            {"tbl": "postings", "idx": index, "stat": stat}
            for index, stat in (
                ("postings_office", "2000000 2000000 100000 3000 300 30"),
                ("postings_things", "30000 30000 400 60 10 8 1 1 1 1"),
                ("postings_part", "2000000 2000000 60000 700 70"),
                ("postings", "2000000 2000000 500000 30 9 1"),
            )
        ],
    )
    op.execute("ANALYZE sqlite_schema")  # so that this connection, too, goes by them


def _verdicts() -> None:
    """Their rows say in which month a finding arose, and are made anew, since nothing but judgement knows it."""
    for name in ("judged", "tallies", "dependency_sets"):
        op.execute(sa.table(name).delete())
    op.drop_table("verdicts")
    op.create_table(
        "verdicts",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", _text(128), primary_key=True),
        sa.Column("rule", _text(64), primary_key=True),
        sa.Column("item", _text(256), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("bound", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("expected_by", sa.BigInteger, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=True),
    )
    finding, when = ["subject", "rule", "item"], ["until", "since", "step"]
    _index("verdicts_board", ["rank", *finding])
    _index("verdicts_bound", ["bound", "rank", *finding])
    _index("verdicts_rule", ["rule", "rank", "subject", "item"])
    _index("verdicts_partner", ["partner", "rank", *finding])
    _index("verdicts_until", [*when, "rule", "rank", "last", "bound", "partner", "month"], "until IS NOT NULL")
    overdue = ["rank", *finding, "expected_by", *when, "bound", "partner", "month"]
    _index("verdicts_overdue", overdue, "rank = 2 AND expected_by > 0")
    cases = sa.table("cases", sa.column("waiting"))
    op.execute(cases.update().where(cases.c.waiting == 0).values(waiting=1))


def _index(name: str, columns: list[str], where: str | None = None) -> None:
    told: dict[str, Any] = {}
    if where is not None:
        told = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index(name, "verdicts", ["generation", *columns], **told)
