"""The foundation: identity, catalogue, runs, items, artifacts, events, leases, and the walls between organizations."""

from pathlib import Path

from alembic import context, op

revision = "0001"
down_revision = None

_GRANTS = """
grant usage on schema public to "{service}", "{reader}";
grant select, insert, update, delete on all tables in schema public to "{service}";
revoke update, delete on audit_entry, event, state_transition from "{service}";
revoke insert on state_transition from "{service}";
grant select on run, item, input_artifact, output_artifact to "{reader}";
"""


def upgrade() -> None:
    """Create everything, and grant the service its rows and the reader its filters."""
    attributes = context.config.attributes
    op.execute(Path(__file__).with_suffix(".sql").read_text())
    op.execute(_GRANTS.format(service=attributes["service_role"], reader=attributes["reader_role"]))
