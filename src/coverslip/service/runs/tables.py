from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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

run = Table(
    "run",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("submitted_by", Text, ForeignKey("user_account.id"), nullable=False),
    Column("application_id", Text, nullable=False),
    Column("version_number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("termination_reason", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("custom_metadata", json_object),
    Column("callback_context", json_object),
    Column("due_date", instant),
    Column("deadline", instant),
    # The order key: within an organization, runs are served by this date, then by submission.
    Column("due_by", instant, nullable=False),
    Column("submitted_at", instant, nullable=False, server_default=text("now()")),
    Column("terminated_at", instant),
    Column("results_deleted_at", instant),
    Column("item_count", Integer, nullable=False),
    Column("item_pending_count", Integer, nullable=False),
    Column("item_processing_count", Integer, nullable=False),
    Column("item_succeeded_count", Integer, nullable=False),
    Column("item_user_error_count", Integer, nullable=False),
    Column("item_system_error_count", Integer, nullable=False),
    Column("item_skipped_count", Integer, nullable=False),
    Column("last_event", BigInteger, nullable=False),
    Column("idempotency_key", Text),
    Column("request_digest", LargeBinary),
    # When smaller items went first because a worker that could take this run's had no room for them just then.
    Column("passed_over_at", instant),
    Column("reuse_results", Boolean, nullable=False, server_default=text("true")),
    ForeignKeyConstraint(
        ["application_id", "version_number"], ["application_version.application_id", "application_version.number"]
    ),
    CheckConstraint("state in ('PENDING', 'PROCESSING', 'TERMINATED')", name="run_state"),
    CheckConstraint(
        "termination_reason in ('ALL_ITEMS_PROCESSED', 'CANCELED_BY_SYSTEM', 'CANCELED_BY_USER')",
        name="run_termination_reason",
    ),
    CheckConstraint(
        "(state = 'TERMINATED') = (termination_reason is not null) "
        "and (state = 'TERMINATED') = (terminated_at is not null)",
        name="run_terminated",
    ),
    CheckConstraint(
        "least(item_pending_count, item_processing_count, item_succeeded_count, item_user_error_count, "
        "item_system_error_count, item_skipped_count) >= 0 and item_count = item_pending_count + item_processing_count "
        "+ item_succeeded_count + item_user_error_count + item_system_error_count + item_skipped_count",
        name="run_statistics",
    ),
)
Index("run_by_submitter", run.c.organization_id, run.c.submitted_by, run.c.submitted_at.desc(), run.c.id)
Index("run_by_organization", run.c.organization_id, run.c.submitted_at.desc(), run.c.id)
Index(
    "run_waiting",
    run.c.organization_id,
    run.c.due_by,
    run.c.submitted_at,
    run.c.id,
    postgresql_where=text("item_pending_count > 0"),
)
Index(
    "run_processing",
    run.c.organization_id,
    run.c.submitted_by,
    postgresql_where=text("item_processing_count > 0"),
)
Index(
    "run_unfinished",
    run.c.organization_id,
    run.c.submitted_by,
    postgresql_where=text("state <> 'TERMINATED'"),
)
Index(
    "run_retention",
    run.c.terminated_at,
    postgresql_where=text("terminated_at is not null and results_deleted_at is null"),
)
Index("run_deadline", run.c.deadline, postgresql_where=text("state <> 'TERMINATED' and deadline is not null"))
Index(
    "run_idempotency",
    run.c.organization_id,
    run.c.submitted_by,
    run.c.idempotency_key,
    unique=True,
    postgresql_where=text("idempotency_key is not null"),
)
Index(
    "run_metadata", run.c.custom_metadata, postgresql_using="gin", postgresql_ops={"custom_metadata": "jsonb_path_ops"}
)
