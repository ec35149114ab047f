"""Run by Alembic: applies migrations over the connection that ``database.migrate`` gives it."""

from alembic import context

from coverslip.service.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)

with context.begin_transaction():
    context.run_migrations()
