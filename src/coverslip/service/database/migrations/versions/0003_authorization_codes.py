"""Sign-in in a browser: authorization codes bound to a code challenge."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of authorization codes."""
    apply(__file__)
