"""projection cases instead of status, tables of verdicts; rows are made anew from the ledger by the next command."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Subject = sa.String(128).with_variant(postgresql.VARCHAR(128, collation="C"), "postgresql")
_Code = sa.String(64).with_variant(postgresql.VARCHAR(64, collation="C"), "postgresql")
_Item = sa.String(256).with_variant(postgresql.VARCHAR(256, collation="C"), "postgresql")


def upgrade() -> None:
    """Rows of ``status`` lack the case files, and nothing but the ledger has these: they go."""
    op.drop_table("status")
    generations = sa.table("generations", sa.column("id"), sa.column("fold"))
    gone = generations.c.fold == "status"
    for name in ("positions", "places", "history", "poison"):
        table = sa.table(name, sa.column("generation"))
        op.execute(table.delete().where(table.c.generation.in_(sa.select(generations.c.id).where(gone))))
    op.execute(generations.delete().where(gone))
    _cases()
    _verdicts()
    _judging()


def _where() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    )


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    told: dict[str, Any] = {}
    if where is not None:
        told = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index(name, table, columns, **told)


def _cases() -> None:
    op.create_table(
        "cases",
        *_where(),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("sort", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("done", sa.LargeBinary, nullable=False),
        sa.Column("recent", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(64)),
        sa.Column("direction", sa.String(16)),
        sa.Column("partner", sa.String(64)),
        sa.Column("state", sa.String(64)),
        sa.Column("ball", sa.String(64)),
        sa.Column("ball_office", sa.String(64)),
        sa.Column("ball_since", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("updated_at", sa.BigInteger),
        sa.Column("remarks", sa.Integer),
        sa.Column("open_items", sa.Integer),
        sa.Column("waiting", sa.Integer),
        sa.Column("facts", sa.Text, nullable=True),
    )
    _index("cases_state", "cases", ["generation", "state"])
    _index("cases_partner", "cases", ["generation", "partner"])
    _index("cases_ball", "cases", ["generation", "ball", "ball_since"])
    _index("cases_waiting", "cases", ["generation", "partition"], "waiting = 1")


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        *_where(),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("rule", _Code, primary_key=True),
        sa.Column("item", _Item, primary_key=True),
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
        sa.Column("detail", sa.Text, nullable=True),
    )
    _index("verdicts_board", "verdicts", ["generation", "rank", "subject", "rule", "item"])
    _index("verdicts_bound", "verdicts", ["generation", "bound", "rank", "subject", "rule", "item"])
    _index("verdicts_rule", "verdicts", ["generation", "rule", "rank", "subject", "item"])
    _index("verdicts_partner", "verdicts", ["generation", "partner", "rank", "subject", "rule", "item"])
    when = ["until", "since", "step"]
    _index(
        "verdicts_until", "verdicts", ["generation", *when, "rule", "rank", "last", "bound", "partner"],
        "until IS NOT NULL",
    )  # fmt: skip
    _index(
        "verdicts_overdue",
        "verdicts",
        ["generation", "rank", "subject", "rule", "item", "expected_by", *when, "bound", "partner"],
        "rank = 2 AND expected_by > 0",
    )


def _judging() -> None:
    op.create_table(
        "judged",
        *_where(),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("register_seq", sa.BigInteger, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("depends", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    _index("judged_depends", "judged", ["generation", "partition", "depends", "round"])
    op.create_table(
        "dependency_sets",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("entries", sa.Text, nullable=False),
        sa.Column("touched", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "judging",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("register_seq", sa.BigInteger, nullable=False),
        sa.Column("rulebook", sa.String(64), nullable=False),
        sa.Column("pending", sa.Integer, nullable=False),
    )
    op.create_table(
        "tallies",
        *_where(),
        sa.Column("rule", _Code, primary_key=True),
        sa.Column("bound", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
