from sqlalchemy import Column, ForeignKey, Table, Text, text

from coverslip.service.database.metadata import instant, json_object, metadata

application = Table(
    "application",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("regulatory_classes", json_object, nullable=False),
)

application_version = Table(
    "application_version",
    metadata,
    Column("application_id", Text, ForeignKey("application.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("changelog", Text, nullable=False),
    Column("input_artifacts", json_object, nullable=False),
    Column("output_artifacts", json_object, nullable=False),
    Column("resources", json_object, nullable=False),
    Column("released_at", instant, nullable=False),
    Column("registered_at", instant, nullable=False, server_default=text("now()")),
)
