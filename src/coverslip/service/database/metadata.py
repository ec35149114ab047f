"""The one collection of table definitions, and column types they share."""

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

instant = DateTime(timezone=True)

# Python's None in a JSON column means SQL NULL: "no metadata", never JSON's null.
json_object = JSONB(none_as_null=True)
