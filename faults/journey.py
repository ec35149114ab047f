"""One run of a round as its submitter sees it: submitted, perhaps cancelled, awaited, whatever fails meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from coverslip import platform
from coverslip.contract.artifacts import InputArtifactCreationRequest
from coverslip.contract.items import ItemCreationRequest
from coverslip.contract.runs import RunCreationRequest, RunState, RunTerminationReason, SchedulingRequest
from coverslip.platform.errors import Conflict, InvalidRequest, ServerError, ServerUnreachable
from coverslip.platform.runs import Run
from faults.finding import Finding, Kind
from faults.plan import Behaviour, Ending, PlannedItem, PlannedRun
from faults.stage import Stage

_LIMIT_S = 600.0
_LOOK_S = 0.5
_RETRY_S = 0.2
_WRONG_CHECKSUM = "AAAAAA=="

Answer = TypeVar("Answer")


class Stuck(Exception):
    """It did not happen in time."""


@dataclass
class Journey:
    """A run on its way.

    Attributes
    ----------
    run
        Once it is submitted.
    findings
        What its submitter found wrong.
    """

    stage: Stage
    planned: PlannedRun
    began_at: float
    run: Run | None = None

    def travel(self) -> list[Finding]:
        """Do as planned until the run has ended; what was wrong meanwhile."""
        try:
            _sleep_until(self.began_at + self.planned.submit_at_s)
            run = self.run = self._submit()
            if self.planned.ending is Ending.CANCELLED:
                time.sleep(self.planned.end_after_s)
                self._cancel(run)
            while insist(run.details).state is not RunState.TERMINATED:
                if time.monotonic() > self.began_at + _LIMIT_S:
                    return [Finding(Kind.STUCK, f"{self.planned.name} has not ended: {insist(run.details)}")]
                time.sleep(_LOOK_S)
        except Stuck as error:
            return [Finding(Kind.STUCK, f"{self.planned.name}: {error}")]
        except Exception as error:
            # Of all that can go wrong, a submitter is to see failures of the server and the network only.
            return [Finding(Kind.WRONG, f"{self.planned.name}: {type(error).__name__}: {error}")]
        return []

    def _submit(self) -> Run:
        while True:
            deadline = None
            if self.planned.ending is Ending.OVERDUE:
                deadline = datetime.now(UTC) + timedelta(seconds=self.planned.end_after_s)
            try:
                return self._submit_until(deadline)
            except InvalidRequest:
                # Nobody could be reached before the deadline; then there is no such run, and another one is right.
                if deadline is None or datetime.now(UTC) < deadline:
                    raise

    def _submit_until(self, deadline: datetime | None) -> Run:
        request = RunCreationRequest(
            application_id="fault-probe",
            items=[self._item(item) for item in self.planned.items],
            custom_metadata={"name": self.planned.name},
            scheduling=SchedulingRequest(deadline=deadline) if deadline else None,
        )
        key = f"{self.planned.name} until {deadline}"
        return insist(lambda: self.client.runs.submit_request(request, idempotency_key=key))

    def _item(self, item: PlannedItem) -> ItemCreationRequest:
        slide = self.stage.slides[item.slide]
        damaged = item.behaviour is Behaviour.DAMAGED
        metadata = {
            "checksum_base64_crc32c": _WRONG_CHECKSUM if damaged else slide.checksum_base64_crc32c,
            "behaviour": item.behaviour,
            "sample": item.sample,
            "mark": str(self.stage.marks / item.sample.replace("/", "-")),
        }
        url = slide.urls[self.planned.organization]
        given = InputArtifactCreationRequest(name="slide", download_url=url, metadata=metadata)
        return ItemCreationRequest(external_id=item.external_id, input_artifacts=[given])

    def _cancel(self, run: Run) -> None:
        try:
            insist(run.cancel)
        except Conflict:
            # An earlier request may have arrived although its answer was lost.
            if insist(run.details).termination_reason is not RunTerminationReason.CANCELED_BY_USER:
                raise

    @property
    def client(self) -> platform.Client:
        """The submitter's."""
        return self.stage.clients[self.planned.organization]


def insist(ask: Callable[[], Answer], limit_s: float = _LIMIT_S) -> Answer:
    """Ask until the server can be reached and is not at fault.

    Raises
    ------
    Stuck
        If that takes longer than ``limit_s`` seconds.
    """
    give_up_at = time.monotonic() + limit_s
    while True:
        try:
            return ask()
        except (ServerUnreachable, ServerError) as error:
            if time.monotonic() > give_up_at:
                raise Stuck(str(error)) from error
            time.sleep(_RETRY_S)


def _sleep_until(moment: float) -> None:
    time.sleep(max(moment - time.monotonic(), 0))
