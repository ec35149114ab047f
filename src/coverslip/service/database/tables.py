"""Every table of the service, gathered in ``metadata``."""

from coverslip.service.access import tables as _access
from coverslip.service.artifacts import tables as _artifacts
from coverslip.service.audit import tables as _audit
from coverslip.service.buckets import tables as _buckets
from coverslip.service.catalog import tables as _catalog
from coverslip.service.database.metadata import metadata
from coverslip.service.documents import tables as _documents
from coverslip.service.events import tables as _events
from coverslip.service.identity import tables as _identity
from coverslip.service.items import tables as _items
from coverslip.service.organizations import tables as _organizations
from coverslip.service.quotas import tables as _quotas
from coverslip.service.reuse import tables as _reuse
from coverslip.service.runs import tables as _runs
from coverslip.service.scheduling import tables as _scheduling
from coverslip.service.storage import tables as _storage
from coverslip.service.webhooks import tables as _webhooks

TABLES = (
    _access,
    _artifacts,
    _audit,
    _buckets,
    _catalog,
    _documents,
    _events,
    _identity,
    _items,
    _organizations,
    _quotas,
    _reuse,
    _runs,
    _scheduling,
    _storage,
    _webhooks,
)

__all__ = ["TABLES", "metadata"]
