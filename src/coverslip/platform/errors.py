"""What can go wrong between a client and the platform, each with what to do about it."""

from typing import ClassVar

from pydantic import BaseModel

from coverslip.contract.errors import CoverslipError
from coverslip.contract.quotas import QuotaExcess


class Problem(BaseModel):
    """What the server said about a request it refused (RFC 9457, with a stable `code` and a `remedy`)."""

    status: int
    code: str | None = None
    detail: str
    remedy: str | None = None
    errors: list[str] = []
    quotas: list[QuotaExcess] = []


class BadConfiguration(CoverslipError):
    """The setting {name} cannot be used: {reason}. Correct it in the environment or in the file .env."""

    code: ClassVar[str] = "CLIENT.BAD_CONFIGURATION"


class ServerUnreachable(CoverslipError):
    """No Coverslip platform answers at {url} ({reason}). Start one on this machine with `coverslip up`, or set
    COVERSLIP_API_ROOT to the address of the platform you use."""

    code: ClassVar[str] = "CLIENT.SERVER_UNREACHABLE"


class AnswerNotUnderstood(CoverslipError):
    """{url} answered something this client does not understand ({reason}). Check that COVERSLIP_API_ROOT names a
    Coverslip platform, and that client and platform are of about the same version."""

    code: ClassVar[str] = "CLIENT.ANSWER_NOT_UNDERSTOOD"


class NotLoggedIn(CoverslipError):
    """You are not logged in to {url}. Run `coverslip user login`."""

    code: ClassVar[str] = "CLIENT.NOT_LOGGED_IN"


class SessionExpired(CoverslipError):
    """Your login to {url} has ended ({reason}). Run `coverslip user login` again."""

    code: ClassVar[str] = "CLIENT.SESSION_EXPIRED"


class LoginRefused(CoverslipError):
    """{url} refused the login: {reason}"""

    code: ClassVar[str] = "CLIENT.LOGIN_REFUSED"


class SetupIncomplete(LoginRefused):
    """{reason} Give the name of your organization, your e-mail address and your name: `coverslip user login --link …
    --organization … --email … --name …`."""

    code: ClassVar[str] = "CLIENT.SETUP_INCOMPLETE"


class NotALoginLink(CoverslipError):
    """This is not a login link: {reason}. A login link looks like https://coverslip.example/welcome?link=..., and
    `coverslip system login-link` prints one."""

    code: ClassVar[str] = "CLIENT.NOT_A_LOGIN_LINK"


class TransferCut(CoverslipError):
    """The connection was cut while {name} was being transferred ({reason}). Run the same command again; it goes on
    where it stopped."""

    code: ClassVar[str] = "CLIENT.TRANSFER_CUT"


class FileChanged(CoverslipError):
    """{path} is no longer the file it was when its checksum was computed. Run `coverslip application run prepare`
    again."""

    code: ClassVar[str] = "CLIENT.FILE_CHANGED"


class FileUnreadable(CoverslipError):
    """{path} cannot be read: {reason}."""

    code: ClassVar[str] = "CLIENT.FILE_UNREADABLE"


class DownloadDamaged(CoverslipError):
    """{name} arrived with the checksum {found} instead of {expected}, twice. Try again later; if it stays so, the file
    is damaged on the server, and its operator should know."""

    code: ClassVar[str] = "CLIENT.DOWNLOAD_DAMAGED"


class ChecksumMissing(CoverslipError):
    """The platform gives no checksum for {name}, so it cannot be downloaded safely. Tell the author of the
    application."""

    code: ClassVar[str] = "CLIENT.CHECKSUM_MISSING"


class DiskFull(CoverslipError):
    """There is no room left for {path}. Free some space, or choose a folder on another disk, and run the same command
    again; what arrived already is kept."""

    code: ClassVar[str] = "CLIENT.DISK_FULL"


class FolderUnusable(CoverslipError):
    """{path} cannot be written: {reason}. Choose another folder, or change its permissions."""

    code: ClassVar[str] = "CLIENT.FOLDER_UNUSABLE"


class Refused(CoverslipError):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.REFUSED"

    def __init__(self, problem: Problem) -> None:
        super().__init__(message=problem.detail)
        self.problem = problem


class InvalidRequest(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.INVALID_REQUEST"


class QuotaExceeded(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.QUOTA_EXCEEDED"


class AccessDenied(Refused):
    """Access denied: {message}"""

    code: ClassVar[str] = "PLATFORM.ACCESS_DENIED"


class NotFound(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.NOT_FOUND"


class Conflict(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.CONFLICT"


class Gone(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.GONE"


class MetadataConflict(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.METADATA_CONFLICT"


class TooManyRequests(Refused):
    """{message}"""

    code: ClassVar[str] = "PLATFORM.TOO_MANY_REQUESTS"


class ServerError(Refused):
    """The platform failed: {message}"""

    code: ClassVar[str] = "PLATFORM.SERVER_ERROR"


class ServerDiskFull(ServerError):
    """The platform has no room left: {message}"""

    code: ClassVar[str] = "PLATFORM.DISK_FULL"
