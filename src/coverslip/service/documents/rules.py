"""Who may see which release document, and where its file lies."""

from uuid import UUID, uuid5

from coverslip.contract.documents import VersionDocumentVisibility
from coverslip.service.access.principal import Principal, Role

_NAMESPACE = UUID("6f1d0c1a-5d0e-4c0b-9a53-0b6c3b6c7e52")


def visible_to(principal: Principal) -> frozenset[VersionDocumentVisibility]:
    """Public documents are everybody's; internal ones are the operator's."""
    if principal.role is Role.SUPER_ADMIN:
        return frozenset(VersionDocumentVisibility)
    return frozenset({VersionDocumentVisibility.PUBLIC})


def document_id(application_id: str, version_number: str, name: str) -> UUID:
    """The id of a document: the same on every platform, however often it is registered."""
    return uuid5(_NAMESPACE, f"{application_id} {version_number} {name}")


def document_path(application_id: str, version_number: str, name: str, content: str) -> str:
    """Where in its area the file of a document lies; another content lies elsewhere, so nothing is overwritten."""
    return f"{application_id}/{version_number}/{name}/{content}"
