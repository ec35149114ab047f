"""What can go wrong with a worker, and with the item it works on."""

from typing import ClassVar

from coverslip.contract.attempts import ExitCause
from coverslip.contract.errors import CoverslipError

_MADE_BY_APPLICATION = ("ARTIFACT.NOT_DECLARED", "ARTIFACT.METADATA_INVALID")
"""Refusals of what an application wrote."""


class WorkerSettingsInvalid(CoverslipError):
    """The worker's settings are not valid: {faults}."""

    code = "SETTINGS.INVALID"


class NoApplicationInstalled(CoverslipError):
    """No application is installed beside this worker, so there is nothing it could do. Install the package of one into
    the same Python environment."""

    code = "WORKER.NO_APPLICATION"


class RayExtraMissing(CoverslipError):
    """The engine 'ray' needs the package ray, which is not installed beside this worker: pip install 'coverslip[ray]'.
    It has no release for every system; Linux has one."""

    code = "WORKER.RAY_MISSING"


class RayClusterAway(CoverslipError):
    """The Ray cluster at {address} cannot be joined: {reason}. This machine has to be one of its nodes ('ray start'),
    with the same versions of Python, Ray and Coverslip as the others."""

    code = "WORKER.CLUSTER_AWAY"


class LeaseLost(CoverslipError):
    """The lease was lost: the run was cancelled, the service was away for too long, or another worker has the item."""

    code = "LEASE.LOST"


class ServiceRefused(CoverslipError):
    """The service refused a request of the worker: {detail}"""

    code = "WORKER.REFUSED"

    def __init__(self, *, code: str, detail: str) -> None:
        super().__init__(detail=detail)
        self.refusal_code = code
        by_application = code in _MADE_BY_APPLICATION
        self.exit_cause = ExitCause.APPLICATION_ERROR if by_application else ExitCause.SERVICE_FAULT


class PlatformFault(CoverslipError):
    """The platform is at fault; another attempt may succeed."""

    exit_cause: ClassVar[ExitCause] = ExitCause.WORKER_FAULT


class ServiceAway(PlatformFault):
    """The service has not done what a worker asked for in {patience_s:.0f} s: {reason}. Its log may say why."""

    code = "WORKER.SERVICE_AWAY"
    exit_cause = ExitCause.SERVICE_FAULT


class InputFault(CoverslipError):
    """The input is at fault; its submitter can mend it."""


class InputRefusedByHost(InputFault):
    """The address of '{name}' answered {status}. Its URL may have expired (it must be valid for 6 days), or the file is
    gone: sign a new URL and submit again."""

    code = "INPUT.DOWNLOAD_REFUSED"


class InputAddressInvalid(InputFault):
    """The address of '{name}' leads nowhere: it is not a valid http or https URL, or redirects without end. Sign a new
    URL and submit again."""

    code = "INPUT.ADDRESS_INVALID"


class InputAddressRefused(InputFault):
    """The address of '{name}' leads into a private network that this platform does not fetch from. Upload the slide to
    the platform, or ask its operator to allow that host with COVERSLIP_FETCH_ALLOW."""

    code = "INPUT.ADDRESS_REFUSED"


class InputChecksumMismatch(InputFault):
    """The file of '{name}' has the CRC32C {actual}, but {stated} was stated. It was changed or damaged after its
    checksum was computed: prepare the metadata again, upload and submit again."""

    code = "INPUT.CHECKSUM_MISMATCH"


class InputUnreachable(PlatformFault):
    """'{name}' could not be fetched: {reason}. Check the network between the worker and the host of its URL."""

    code = "INPUT.UNREACHABLE"
    exit_cause = ExitCause.TRANSFER_FAILED


class ArtifactNotStored(PlatformFault):
    """The artifact '{name}' could not be stored: {reason}. Check the store's disk and the network to it."""

    code = "ARTIFACT.NOT_STORED"
    exit_cause = ExitCause.TRANSFER_FAILED


class ApplicationFailed(PlatformFault):
    """The application failed: {reason}. The attempt's log has the details for its author."""

    code = "APPLICATION.FAILED"
    exit_cause = ExitCause.APPLICATION_ERROR


class ApplicationCrashed(PlatformFault):
    """The application's process was ended by {signal} while {stage}. The attempt's log has the details for its
    author."""

    code = "APPLICATION.CRASHED"
    exit_cause = ExitCause.CRASHED


class ApplicationOutOfMemory(PlatformFault):
    """The application used {used_mb} MB of memory while {stage}; {limit_mb} MB are allowed, so it was stopped. Its
    author has to make it use less, or release a version whose manifest allows more."""

    code = "APPLICATION.OUT_OF_MEMORY"
    exit_cause = ExitCause.OUT_OF_MEMORY


class ApplicationTimeout(PlatformFault):
    """The application was stopped after {limit_s} s, the longest time it may take for an item, while {stage}. Its
    author has to make it faster, or release a version whose manifest allows more."""

    code = "APPLICATION.TIMEOUT"
    exit_cause = ExitCause.TIMEOUT


class WorkerFault(PlatformFault):
    """The fault is with this worker; it rests before it takes another item."""


class WorkerFailed(WorkerFault):
    """The worker failed: {reason}. Its own log has the details for the operator."""

    code = "WORKER.FAILED"


class ScratchFull(WorkerFault):
    """The worker's scratch disk is full: {free_mb} MB free, {needed_mb} MB needed. The operator has to free space, or
    set COVERSLIP_SCRATCH to a larger disk."""

    code = "WORKER.SCRATCH_FULL"


class WorkerStopped(PlatformFault):
    """The worker was stopped while it had this item. Another attempt follows."""

    code = "WORKER.STOPPED"
    exit_cause = ExitCause.WORKER_STOPPED


class NodeLost(PlatformFault):
    """The node of the cluster that had this item was lost: {reason}. Another attempt follows. The log of Ray on that
    node says more."""

    code = "WORKER.NODE_LOST"


class NoNodeFree(PlatformFault):
    """No node of the cluster had {cpu:g} processor cores, {memory_mb} MB of memory and {gpu} graphics processors free
    within {waited_s:.0f} s. If none ever has, its operator has to add one that has."""

    code = "WORKER.NO_NODE_FREE"


class NodeFaulty(WorkerFault):
    """A node of the cluster says: {detail}"""

    code = "WORKER.NODE_FAULTY"
