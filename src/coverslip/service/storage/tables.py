from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from coverslip.service.database.metadata import instant, metadata

bucket_object = Table(
    "bucket_object",
    metadata,
    Column("path", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum_base64_crc32c", Text, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
)
Index("bucket_object_owner", bucket_object.c.organization_id, bucket_object.c.user_id)
