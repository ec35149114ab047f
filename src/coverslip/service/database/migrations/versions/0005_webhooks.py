"""Webhooks and their deliveries."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables of webhooks."""
    apply(__file__)
