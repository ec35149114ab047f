"""Sharing and release documents: grants, share tokens, documents of application versions."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of sharing and of release documents."""
    apply(__file__)
