"""The foundation: identity, catalogue, runs, items, artifacts, events, leases, and the walls between organizations."""

from coverslip.service.database.migrations.sql_files import apply

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything, and grant the service its rows and the reader its filters."""
    apply(__file__)
