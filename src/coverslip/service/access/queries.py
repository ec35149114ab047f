"""What a caller may read, as conditions on runs, items and output artifacts."""

from sqlalchemy import ColumnElement, and_, or_, true

from coverslip.service.access.rules import AllRuns, OrganizationRuns, OwnRuns, RunScope, SharedRun
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.artifacts.tables import output_artifact
from coverslip.service.items.tables import item
from coverslip.service.runs.tables import run


def in_scope(scope: RunScope) -> ColumnElement[bool]:
    """The condition that a row of ``run`` lies within ``scope``."""
    match scope:
        case OwnRuns(organization_id, user_id):
            return and_(run.c.organization_id == organization_id, run.c.submitted_by == user_id)
        case OrganizationRuns(organization_id):
            return run.c.organization_id == organization_id
        case AllRuns():
            return true()
        case SharedRun(organization_id, run_id):
            return and_(run.c.organization_id == organization_id, run.c.id == run_id)


def item_in(parts: RunParts) -> ColumnElement[bool]:
    """The condition that a row of ``item`` is one of ``parts``."""
    of_run = item.c.run_id == parts.run_id
    return of_run if parts.whole else and_(of_run, item.c.id.in_(parts.item_ids))


def output_in(parts: RunParts) -> ColumnElement[bool]:
    """The condition that a row of ``output_artifact`` is one of ``parts``, or belongs to one."""
    of_run = output_artifact.c.run_id == parts.run_id
    if parts.whole:
        return of_run
    alone = output_artifact.c.id.in_(parts.artifact_ids)
    return and_(of_run, or_(alone, output_artifact.c.item_id.in_(parts.item_ids)))
