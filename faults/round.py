"""One round: the runs of a plan are processed while the platform is struck, then everything is looked at."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from faults.audit import audit
from faults.audit.logs import LogReader
from faults.finding import Finding, Kind
from faults.journey import Journey, Stuck, insist
from faults.plan import Fault, Plan
from faults.stage import Stage
from faults.turmoil import Turmoil


@dataclass(frozen=True)
class Outcome:
    """What came of a round.

    Attributes
    ----------
    struck
        How often each fault befell the platform.
    work_s, audit_s
        How long its runs took until the last had ended, and the auditor after that.
    tracebacks
        Errors that were logged with one, which faults may explain.
    """

    plan: Plan
    struck: Counter[Fault]
    findings: list[Finding]
    work_s: float
    audit_s: float
    tracebacks: Counter[str]


def play(stage: Stage, plan: Plan) -> Outcome:
    """Play a round to its end."""
    began_at = time.monotonic()
    logs = LogReader(stage.home.logs)
    journeys = [Journey(stage, planned, began_at) for planned in plan.runs]
    with Turmoil(stage, plan.strikes, plan.seed) as turmoil, ThreadPoolExecutor(len(journeys)) as pool:
        findings = [finding for found in pool.map(Journey.travel, journeys) for finding in found]
    ended_at = time.monotonic()
    try:
        insist(stage.clients[0].me)  # the last strike may have hit the database
        findings += audit(stage, plan, journeys)
    except Stuck as error:
        findings.append(Finding(Kind.STUCK, f"the platform did not come back: {error}"))
    work_s, audit_s = ended_at - began_at, time.monotonic() - ended_at
    return Outcome(plan, turmoil.struck, findings, work_s, audit_s, logs.tracebacks())
