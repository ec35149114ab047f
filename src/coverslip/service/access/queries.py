"""The caller's scope as a condition on the run table."""

from sqlalchemy import ColumnElement, and_, true

from coverslip.service.access.rules import AllRuns, OrganizationRuns, OwnRuns, RunScope
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
