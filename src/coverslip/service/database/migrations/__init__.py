"""Alembic migrations: what a newer package does to the database of an older one."""
