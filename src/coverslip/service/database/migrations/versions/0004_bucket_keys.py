"""Bucket keys: each user's own key for the S3 dialect."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of bucket keys."""
    apply(__file__)
