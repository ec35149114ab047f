from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text

from coverslip.service.database.metadata import instant, json_object, metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("occurred_at", instant, nullable=False, server_default=text("now()")),
    Column("organization_id", Text),
    Column("user_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", json_object, nullable=False),
)
Index("audit_entry_organization", audit_entry.c.organization_id, audit_entry.c.occurred_at)
