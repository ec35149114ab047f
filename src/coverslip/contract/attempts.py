"""Attempts at an item: what each did and how it ended (extension)."""

from enum import StrEnum

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant, StorableText

MAX_STAGES = 50


class AttemptOutcome(StrEnum):
    """How an attempt at an item ended."""

    SUCCEEDED = "SUCCEEDED"
    USER_ERROR = "USER_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    CANCELED = "CANCELED"
    LEASE_LOST = "LEASE_LOST"


class ExitCause(StrEnum):
    """Why an attempt at an item ended.

    INPUT_FAULT is the submitter's to mend, APPLICATION_ERROR, OUT_OF_MEMORY, TIMEOUT and CRASHED are the application
    author's, all others the operator's; CANCELED is nobody's.
    """

    SUCCEEDED = "SUCCEEDED"
    INPUT_FAULT = "INPUT_FAULT"
    APPLICATION_ERROR = "APPLICATION_ERROR"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    TIMEOUT = "TIMEOUT"
    CRASHED = "CRASHED"
    TRANSFER_FAILED = "TRANSFER_FAILED"
    LEASE_LOST = "LEASE_LOST"
    CANCELED = "CANCELED"
    WORKER_STOPPED = "WORKER_STOPPED"
    WORKER_FAULT = "WORKER_FAULT"
    SERVICE_FAULT = "SERVICE_FAULT"


class StageDuration(BaseModel):
    """How long an attempt was at one stage, by the clock of its worker."""

    stage: StorableText = Field(max_length=200, examples=["reading tiles"])
    duration_s: float = Field(ge=0, allow_inf_nan=False)


class AttemptReadResponse(BaseModel):
    """One attempt of a worker at an item."""

    number: int = Field(description="From 1 for each item")
    worker_name: str
    started_at: Instant
    ended_at: Instant | None = Field(description="Null while it goes on")
    duration_s: float = Field(description="From its start to its end, or until now")
    outcome: AttemptOutcome | None = Field(description="Null while it goes on")
    exit_cause: ExitCause | None = Field(description="Why it ended; null while it goes on")
    ended_by: str | None = Field(
        description="What ended the application's process, if it crashed", examples=["SIGSEGV", "exit code 3"]
    )
    error_code: str | None
    error_message: str | None = Field(description="Why it failed and what to do about it")
    stage: str = Field(description="What it was doing last", examples=["reading tiles"])
    stages: list[StageDuration] = Field(
        description=f"What it did, in order, at most {MAX_STAGES} stages; of a lost worker, as far as it told"
    )
    peak_memory_mb: int | None = Field(description="Most memory that the application used, in MiB")
    log: str | None = Field(
        description="The end of what the application printed; null for those who may not change the run, because "
        "logs may name paths, and where the worker could not send it"
    )
