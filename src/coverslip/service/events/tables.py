from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, Uuid, text

from coverslip.service.database.metadata import instant, json_object, metadata

event = Table(
    "event",
    metadata,
    Column("run_id", Uuid, ForeignKey("run.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", Uuid),
    Column("payload", json_object, nullable=False),
    Column("occurred_at", instant, nullable=False, server_default=text("now()")),
)
