from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid

from coverslip.service.database.metadata import instant, metadata

# What the result of an item depends on; known once a worker has fetched its inputs.
item_content = Table(
    "item_content",
    metadata,
    Column("item_id", Uuid, ForeignKey("item.id"), primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    # When the item ended whose artifacts this one was given; null if it was processed itself.
    Column("result_from", instant),
)
Index("item_content_key", item_content.c.organization_id, item_content.c.key)
