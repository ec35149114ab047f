"""The platform on one machine: PostgreSQL, object store, service and worker under one supervisor (`coverslip up`)."""
