"""Looks at the platform from outside after a round: is everything there, once, right, and nothing else?"""

from collections.abc import Sequence
from uuid import UUID

from faults import queries
from faults.audit.events import faults_of_events, read_events
from faults.audit.leftovers import await_tidiness
from faults.audit.rows import faults_of_rows
from faults.audit.runs import faults_of_lists, faults_of_run
from faults.finding import Finding
from faults.journey import Journey
from faults.plan import Plan
from faults.stage import Stage


def audit(stage: Stage, plan: Plan, journeys: Sequence[Journey]) -> list[Finding]:
    """Everything that is wrong with the runs of a round, and with what they left behind."""
    runs = {UUID(journey.run.run_id): journey for journey in journeys if journey.run is not None}
    findings = await_tidiness(stage, list(runs))
    findings += faults_of_lists(stage, plan)
    rows = queries.read_rows(stage.database_url, list(runs))
    findings += faults_of_rows(rows, {run_id: journey.planned for run_id, journey in runs.items()})
    for run_id, journey in runs.items():
        items, more = faults_of_run(stage, journey)
        events = read_events(journey)
        findings += more + faults_of_events(journey.planned.name, items, events, rows.last_events[run_id])
    return findings
