"""What is kept of attempts, thresholds and retention."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply it."""
    apply(__file__)
