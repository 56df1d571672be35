"""What alembic runs for each of its commands: the steps, on the connection and in the transaction it was given."""

from __future__ import annotations

from alembic import context

from projections.schema import REVISIONS, metadata

given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=metadata,
    version_table=REVISIONS,
    on_version_apply=given.get("told"),
    render_as_batch=True,  # SQLite changes a table by making it again
    transactional_ddl=True,  # on SQLite as well: projections/engine.py begins the transaction, not the driver
)
context.run_migrations()
