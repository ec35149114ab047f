from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text

from coverslip.service.database.metadata import instant, json_object, metadata

item = Table(
    "item",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, ForeignKey("run.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("custom_metadata", json_object),
    Column("state", Text, nullable=False),
    Column("termination_reason", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("terminated_at", instant),
    Column("attempt_count", Integer, nullable=False),
    Column("available_at", instant, nullable=False, server_default=text("now()")),
    CheckConstraint("state in ('PENDING', 'PROCESSING', 'TERMINATED')", name="item_state"),
    CheckConstraint(
        "termination_reason in ('SUCCEEDED', 'USER_ERROR', 'SYSTEM_ERROR', 'SKIPPED')", name="item_termination_reason"
    ),
    CheckConstraint(
        "(state = 'TERMINATED') = (termination_reason is not null) "
        "and (state = 'TERMINATED') = (terminated_at is not null)",
        name="item_terminated",
    ),
)
Index("item_external_id", item.c.run_id, item.c.external_id, unique=True)
Index("item_position", item.c.run_id, item.c.position, unique=True)
Index("item_waiting", item.c.run_id, item.c.position, postgresql_where=text("state = 'PENDING'"))
Index("item_by_external_id", item.c.organization_id, item.c.external_id)
