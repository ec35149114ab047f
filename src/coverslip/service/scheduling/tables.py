from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text

from coverslip.service.database.metadata import instant, metadata

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
    # What it uploaded without publishing is deleted then; null if nothing can be left.
    Column("sweep_due_at", instant),
)
Index("attempt_run", attempt.c.run_id)
Index("attempt_unswept", attempt.c.sweep_due_at, postgresql_where=text("sweep_due_at is not null"))
