from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid

from coverslip.service.database.metadata import instant, json_object, metadata

input_artifact = Table(
    "input_artifact",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("item_id", Uuid, ForeignKey("item.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("metadata", json_object, nullable=False),
    Column("download_url", Text, nullable=False),
    # Set when the URL leads into our own store: it is then signed anew for each lease.
    Column("object_path", Text),
)
Index("input_artifact_item", input_artifact.c.item_id, input_artifact.c.name, unique=True)
Index(
    "input_artifact_object",
    input_artifact.c.object_path,
    postgresql_where=input_artifact.c.object_path.is_not(None),
)

output_artifact = Table(
    "output_artifact",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("item_id", Uuid, ForeignKey("item.id"), nullable=False),
    Column("run_id", Uuid, ForeignKey("run.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("termination_reason", Text),
    Column("output", Text, nullable=False),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("metadata", json_object),
    Column("object_path", Text),
    Column("size_bytes", BigInteger),
    Column("terminated_at", instant),
    CheckConstraint("state in ('PENDING', 'PROCESSING', 'TERMINATED')", name="output_artifact_state"),
    CheckConstraint(
        "termination_reason in ('SUCCEEDED', 'USER_ERROR', 'SYSTEM_ERROR', 'SKIPPED')",
        name="output_artifact_termination_reason",
    ),
    CheckConstraint(
        "output in ('NONE', 'AVAILABLE', 'DELETED_BY_USER', 'DELETED_BY_SYSTEM')", name="output_artifact_output"
    ),
    CheckConstraint("(state = 'TERMINATED') = (termination_reason is not null)", name="output_artifact_terminated"),
    CheckConstraint(
        "(output = 'NONE') = (termination_reason is distinct from 'SUCCEEDED') "
        "and (output <> 'AVAILABLE' or object_path is not null)",
        name="output_artifact_available",
    ),
)
Index("output_artifact_item", output_artifact.c.item_id, output_artifact.c.name, unique=True)
Index("output_artifact_run", output_artifact.c.run_id)
