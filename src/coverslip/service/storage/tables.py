from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, Uuid, text

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
    # Since then nobody has sent it again; whether a run used it since is found out when it is long ago.
    Column("idle_since", instant, nullable=False, server_default=text("now()")),
    # What clients of S3 call it. Without one it is on its way in, or replaced or deleted while a run still needs it.
    Column("key", Text(collation="C")),
    Column("md5_hex", Text),
)
Index("bucket_object_owner", bucket_object.c.organization_id, bucket_object.c.user_id)
Index("bucket_object_key", bucket_object.c.organization_id, bucket_object.c.key, unique=True)
Index("bucket_object_idle", bucket_object.c.idle_since, postgresql_where=bucket_object.c.key.is_not(None))
Index("bucket_object_keyless", bucket_object.c.created_at, postgresql_where=bucket_object.c.key.is_(None))

# An upload that has not been completed; its parts are objects of the area for parts.
upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checksum_base64_crc32c", Text, nullable=False),
    Column("part_size_bytes", BigInteger, nullable=False),
    Column("created_at", instant, nullable=False, server_default=text("now()")),
    Column("touched_at", instant, nullable=False, server_default=text("now()")),
)
Index("upload_abandoned", upload.c.touched_at)
