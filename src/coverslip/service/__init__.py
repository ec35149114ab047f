"""The platform service: a stateless FastAPI application over PostgreSQL and an object store."""
