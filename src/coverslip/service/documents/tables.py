from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Text, Uuid, text

from coverslip.service.database.metadata import instant, metadata

version_document = Table(
    "version_document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("application_id", Text, nullable=False),
    Column("version_number", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("object_path", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("updated_at", instant, nullable=False, server_default=text("now()")),
    CheckConstraint("visibility in ('public', 'internal')", name="version_document_visibility"),
    ForeignKeyConstraint(
        ["application_id", "version_number"], ["application_version.application_id", "application_version.number"]
    ),
)
Index(
    "version_document_name",
    version_document.c.application_id,
    version_document.c.version_number,
    version_document.c.name,
    unique=True,
)
