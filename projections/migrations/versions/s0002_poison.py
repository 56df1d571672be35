"""table poison: the record that a fold cannot digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Subject = sa.String(128).with_variant(postgresql.VARCHAR(128, collation="C"), "postgresql")


def upgrade() -> None:
    """The version of release 0.1.0 goes: that release then refuses the store instead of misreading it."""
    op.create_table(
        "poison",
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("index", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("subject", _Subject, nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("found_at", sa.BigInteger, nullable=False),
    )
    op.drop_table("store")
