"""Results that are used again."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply it."""
    apply(__file__)
