"""Alembic's environment; the connection is handed in, and no address stands anywhere."""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=given["tables"],
    # SQLite changes few things of a table that is there; it is copied instead.
    render_as_batch=given["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
