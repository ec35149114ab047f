from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from coverslip.service.database.metadata import instant, metadata

webhook = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_by", Text, ForeignKey("user_account.id"), nullable=False),
    Column("url", Text, nullable=False),
    # NULL: all kinds.
    Column("event_kinds", ARRAY(Text)),
    Column("description", Text, nullable=False),
    # NULL: it is enabled.
    Column("disabled_reason", Text),
    Column("failing_since", instant),
    Column("secret_encrypted", LargeBinary, nullable=False),
    Column("previous_secret_encrypted", LargeBinary),
    Column("previous_secret_until", instant),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    CheckConstraint("scope in ('OWN_RUNS', 'ORGANIZATION')", name="webhook_scope"),
    CheckConstraint("disabled_reason in ('BY_USER', 'GONE', 'FAILING')", name="webhook_disabled_reason"),
)
Index("webhook_organization", webhook.c.organization_id)

# One event for one webhook. The deliveries of one run to one webhook form a line: one of them is tried, the others
# wait for it without a time of their own.
delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("webhook_id", Uuid, ForeignKey("webhook.id", ondelete="cascade"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("first_attempt_at", instant),
    Column("last_attempt_at", instant),
    Column("next_attempt_at", instant),
    # A service process is sending it; it has that long to say how it went.
    Column("claimed_until", instant),
    Column("status_code", Integer),
    Column("duration_ms", Integer),
    Column("error", Text),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(["run_id", "event_number"], ["event.run_id", "event.number"]),
    UniqueConstraint("webhook_id", "run_id", "event_number"),
    CheckConstraint("state in ('PENDING', 'DELIVERED', 'FAILED')", name="webhook_delivery_state"),
    CheckConstraint("state = 'PENDING' or next_attempt_at is null", name="webhook_delivery_ended"),
)
Index("webhook_delivery_log", delivery.c.webhook_id, delivery.c.created_at.desc(), delivery.c.event_number.desc())
Index("webhook_delivery_due", delivery.c.next_attempt_at, postgresql_where=text("next_attempt_at is not null"))
Index(
    "webhook_delivery_tried",
    delivery.c.run_id,
    delivery.c.webhook_id,
    postgresql_where=text("next_attempt_at is not null"),
)
Index(
    "webhook_delivery_waiting",
    delivery.c.run_id,
    delivery.c.webhook_id,
    delivery.c.event_number,
    postgresql_where=text("state = 'PENDING' and next_attempt_at is null"),
)
Index("webhook_delivery_age", delivery.c.created_at)
