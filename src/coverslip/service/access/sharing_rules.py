"""What grants open, and to whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coverslip.contract.access import GrantCreateRequest, ResourceType, SubjectType
from coverslip.service.access.principal import Principal, Role


@dataclass(frozen=True)
class RunParts:
    """What somebody may read of one run: all of it, or some items with their artifacts, and some artifacts alone.

    Queries that look into a run take this in place of its id. ``shared`` says that grants open it: where slides came
    from is not part of what is shared.
    """

    run_id: UUID
    whole: bool = True
    item_ids: frozenset[UUID] = frozenset()
    artifact_ids: frozenset[UUID] = frozenset()
    shared: bool = False

    @property
    def has_items(self) -> bool:
        """Whether any item may be read."""
        return self.whole or bool(self.item_ids)


def opened_by(run_id: UUID, resources: Iterable[tuple[ResourceType, UUID]]) -> RunParts:
    """What grants on these resources open of the run that they are, or are parts of, together."""
    opened: dict[ResourceType, set[UUID]] = {kind: set() for kind in ResourceType}
    for kind, resource_id in resources:
        opened[kind].add(resource_id)
    return RunParts(
        run_id,
        whole=bool(opened[ResourceType.RUN]),
        item_ids=frozenset(opened[ResourceType.ITEM]),
        artifact_ids=frozenset(opened[ResourceType.OUTPUT_ARTIFACT]),
        shared=True,
    )


@dataclass(frozen=True)
class Place:
    """Where a run, an item or an output artifact belongs."""

    run_id: UUID
    item_id: UUID | None = None
    artifact_id: UUID | None = None

    def lies_in(self, parts: RunParts) -> bool:
        """Whether it is among what may be read."""
        return parts.whole or self.item_id in parts.item_ids or self.artifact_id in parts.artifact_ids


def subjects_of(principal: Principal) -> list[tuple[SubjectType, str]]:
    """Whom a grant may name to reach ``principal``."""
    subjects = [
        (SubjectType.USER, principal.user_id),
        (SubjectType.ORGANIZATION_USER, principal.organization_id),
    ]
    if principal.role is not Role.MEMBER:
        subjects.append((SubjectType.ORGANIZATION_ADMIN, principal.organization_id))
    return subjects


def subject_fault(request: GrantCreateRequest) -> str | None:
    """What is wrong with how a grant names its subject, whoever that is; None if nothing."""
    if request.subject_type is SubjectType.USER:
        if (request.subject_id is None) == (request.subject_email is None):
            return "name a user by either `subject_id` or `subject_email`"
    elif request.subject_id is None or request.subject_email is not None:
        return f"name a subject of type {request.subject_type} by `subject_id`"
    if request.subject_type is SubjectType.SHARE_TOKEN and request.resource_type is ResourceType.SHARE_TOKEN:
        return "a share token opens runs, items and output artifacts, no share tokens"
    return None


def is_past(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a share token would be of no use to anybody."""
    return expires_at is not None and expires_at <= now
