"""the tables of release 0.1.0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Subject = sa.String(128).with_variant(postgresql.VARCHAR(128, collation="C"), "postgresql")


def upgrade() -> None:
    """An empty database gets them; release 0.1.0 made the same by itself, with a table of its version."""
    op.create_table("store", sa.Column("version", sa.Integer, nullable=False))
    op.execute("INSERT INTO store (version) VALUES (1)")
    _generations()
    op.create_table(
        "positions",
        *_where(),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("admitted", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("submission", sa.BigInteger, nullable=False),
        sa.Column("past", sa.LargeBinary, nullable=False),
        sa.Column("last_leaf", sa.LargeBinary, nullable=False),
        sa.Column("register", sa.Text, nullable=True),
    )
    op.create_table(
        "places",
        *_where(),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "history",
        *_where(),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("indices", sa.Text, nullable=False),
    )
    _status()


def _where() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    )


def _generations() -> None:
    op.create_table(
        "generations",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("fold", sa.String(64), nullable=False),
        sa.Column("fold_version", sa.Integer, nullable=False),
        sa.Column("ledger_id", sa.String(65), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    live = sa.text("state = 'live'")
    op.create_index(
        "generations_live",
        "generations",
        ["fold", "ledger_id"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _status() -> None:
    op.create_table(
        "status",
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
        sa.Column("facts", sa.Text, nullable=True),
    )
    op.create_index("status_state", "status", ["generation", "state"])
    op.create_index("status_partner", "status", ["generation", "partner"])
    op.create_index("status_ball", "status", ["generation", "ball", "ball_since"])
