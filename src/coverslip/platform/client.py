"""The client of a Coverslip platform."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from coverslip.contract.applications import ApplicationReadResponse, VersionReadResponse
from coverslip.contract.health import HealthResponse
from coverslip.contract.me import MeReadResponse
from coverslip.platform.access import ShareTokens
from coverslip.platform.api import Api
from coverslip.platform.applications import Applications
from coverslip.platform.authentication import LoginSession
from coverslip.platform.connection import open_connections
from coverslip.platform.errors import AnswerNotUnderstood
from coverslip.platform.oauth import OAuthEndpoints
from coverslip.platform.objects import Objects
from coverslip.platform.quotas import Quotas
from coverslip.platform.runs import Run, Runs
from coverslip.platform.settings import load_settings, resolve_api_root
from coverslip.platform.token_cache import TokenCache
from coverslip.platform.uploads import DEFAULT_PREFIX, Progress, UploadedSlide, upload_slide


class Client:
    """Speaks with one platform for one user. Safe to share between threads; close it, or use it in a `with` block.

    Parameters
    ----------
    api_root
        Address of the platform; when absent see `coverslip.platform.settings.resolve_api_root`.
    token_provider
        Gives the access token for each request; when absent the login that `coverslip user login` stored.
    """

    def __init__(self, *, api_root: str | None = None, token_provider: Callable[[], str] | None = None) -> None:
        self.settings = settings = load_settings()
        self.api_root = resolve_api_root(settings, api_root)
        self._http = open_connections(settings)
        if token_provider is None:
            cache = TokenCache(settings.credentials_folder, self.api_root)
            token_provider = LoginSession(OAuthEndpoints(self.api_root, self._http), cache)
        self.api = Api(self.api_root, self._http, token_provider)
        self.applications = Applications(self.api)
        self.versions = self.applications.versions
        self.runs = Runs(self.api)
        self.share_tokens = ShareTokens(self.api)
        self.objects = Objects(self.api)
        self.quotas = Quotas(self.api)

    def me(self) -> MeReadResponse:
        """Who is logged in, and for which organization."""
        return self.api.read(MeReadResponse, "/api/v1/me")

    def application(self, application_id: str) -> ApplicationReadResponse:
        """See `Applications.details`."""
        return self.applications.details(application_id)

    def application_version(self, application_id: str, version_number: str | None = None) -> VersionReadResponse:
        """See `Versions.details`."""
        return self.versions.details(application_id, version_number)

    def run(self, run_id: str, share_token: str | None = None) -> Run:
        """A run by its id; asks nothing yet."""
        return Run(self.api, run_id, share_token)

    def upload(
        self,
        path: Path,
        checksum_base64_crc32c: str,
        on_progress: Progress | None = None,
        *,
        prefix: str = DEFAULT_PREFIX,
    ) -> UploadedSlide:
        """See `coverslip.platform.uploads.upload_slide`."""
        return upload_slide(self._http, self.objects, path, checksum_base64_crc32c, on_progress, prefix=prefix)

    def health(self) -> HealthResponse:
        """Whether the platform is well; needs no login."""
        response = self.api.anonymous("/health")
        try:
            return HealthResponse.model_validate_json(response.content)
        except ValidationError as error:
            raise AnswerNotUnderstood(url=str(response.url), reason="no health report") from error

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
