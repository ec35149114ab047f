from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from coverslip.service.database.metadata import instant, json_object, metadata

worker = Table(
    "worker",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("disabled_at", instant),
)

# At most one lease an item: the row is the right to process it, and `attempt` fences off every earlier holder.
lease = Table(
    "lease",
    metadata,
    Column("item_id", Uuid, ForeignKey("item.id"), primary_key=True),
    Column("run_id", Uuid, ForeignKey("run.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("worker_id", Uuid, ForeignKey("worker.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("expires_at", instant, nullable=False),
)
Index("lease_expiry", lease.c.expires_at)

attempt = Table(
    "attempt",
    metadata,
    Column("item_id", Uuid, ForeignKey("item.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run_id", Uuid, ForeignKey("run.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("worker_id", Uuid, ForeignKey("worker.id"), nullable=False),
    Column("worker_name", Text, nullable=False),
    Column("started_at", instant, nullable=False, server_default=text("now()")),
    Column("ended_at", instant),
    Column("outcome", Text),
    Column("stage", Text, nullable=False, server_default=text("''")),
    Column("fraction", Double, nullable=False, server_default=text("0")),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("log", Text, nullable=False, server_default=text("''")),
    Column("peak_memory_mb", Integer),
    # With the time that each took, as its worker last told: [{"stage": …, "duration_s": …}, …]
    Column("stages", json_object, nullable=False, server_default=text("'[]'")),
    Column("exit_cause", Text),
    Column("ended_by", Text),
    # What its organization was charged for it when it began, and with which weight.
    Column("charged_s", Double, nullable=False, server_default=text("0")),
    Column("weight", Double, nullable=False, server_default=text("1")),
    # What it uploaded without publishing is deleted then; null if nothing can be left.
    Column("sweep_due_at", instant),
    CheckConstraint(
        "exit_cause in ('SUCCEEDED', 'INPUT_FAULT', 'APPLICATION_ERROR', 'OUT_OF_MEMORY', 'TIMEOUT', 'CRASHED', "
        "'TRANSFER_FAILED', 'LEASE_LOST', 'CANCELED', 'WORKER_STOPPED', 'WORKER_FAULT', 'SERVICE_FAULT')",
        name="attempt_exit_cause",
    ),
    CheckConstraint("(exit_cause is null) = (ended_at is null)", name="attempt_ended"),
)
Index("attempt_run", attempt.c.run_id)
Index("attempt_unswept", attempt.c.sweep_due_at, postgresql_where=text("sweep_due_at is not null"))

# Where an organization stands between the others: see `order_rules`. The counts are of its items, kept by `save_run`.
organization_queue = Table(
    "organization_queue",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), primary_key=True),
    Column("weight", Double, nullable=False, server_default=text("1")),
    Column("max_items", Integer),
    Column("max_items_per_user", Integer),
    Column("max_items_per_run", Integer),
    Column("level", Double, nullable=False, server_default=text("'-infinity'")),
    Column("last_start", Double, nullable=False, server_default=text("'-infinity'")),
    Column("waiting", Integer, nullable=False, server_default=text("0")),
    Column("processing", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("least(waiting, processing) >= 0", name="organization_queue_counts"),
    CheckConstraint("weight > 0", name="organization_queue_weight"),
)
Index(
    "organization_queue_order",
    organization_queue.c.level,
    organization_queue.c.organization_id,
    postgresql_where=text("waiting > 0"),
)
Index("organization_queue_last_start", organization_queue.c.last_start)

# How long attempts at a version's items that succeeded took, the latest counting most.
version_duration = Table(
    "version_duration",
    metadata,
    Column("application_id", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("mean_s", Double, nullable=False),
    ForeignKeyConstraint(
        ["application_id", "number"], ["application_version.application_id", "application_version.number"]
    ),
)
