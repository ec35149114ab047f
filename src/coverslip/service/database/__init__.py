"""The connection to PostgreSQL, the scope of every transaction, and the schema's migrations."""
