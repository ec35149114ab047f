"""The order in which items are served."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply it."""
    apply(__file__)
