"""Quotas, usage and cost."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply it."""
    apply(__file__)
