"""Applications and their versions."""

import builtins
import re
from collections.abc import Iterator

from coverslip.contract.applications import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    VersionReadResponse,
)
from coverslip.contract.fields import SEMVER_PATTERN
from coverslip.platform.api import Api, segment
from coverslip.platform.documents import Documents
from coverslip.platform.errors import NotFound, Problem
from coverslip.platform.paging import MAX_PAGE_SIZE, rows


class Versions:
    """Versions of applications."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, application: ApplicationReadResponse | str) -> builtins.list[ApplicationVersion]:
        """Every version of an application that the caller may use."""
        if isinstance(application, str):
            application = Applications(self._api).details(application)
        return application.versions

    def list_sorted(self, application: ApplicationReadResponse | str) -> builtins.list[ApplicationVersion]:
        """The same, the highest version first."""
        return sorted(self.list(application), key=lambda version: precedence(version.number), reverse=True)

    def latest(self, application: ApplicationReadResponse | str) -> ApplicationVersion | None:
        """The highest version the caller may use, or None."""
        return next(iter(self.list_sorted(application)), None)

    def details(
        self, application_id: str, application_version: ApplicationVersion | str | None = None
    ) -> VersionReadResponse:
        """What a version takes and gives; the latest when none is named.

        Raises
        ------
        NotFound
        """
        number = self._number(application_id, application_version)
        path = f"/api/v1/applications/{segment(application_id)}/versions/{segment(number)}"
        return self._api.read(VersionReadResponse, path)

    def documents(self, application_id: str, application_version: ApplicationVersion | str | None = None) -> Documents:
        """The release documents of a version; of the latest when none is named.

        Raises
        ------
        NotFound
        """
        return Documents(self._api, application_id, self._number(application_id, application_version))

    def _number(self, application_id: str, application_version: ApplicationVersion | str | None) -> str:
        if application_version is None:
            application_version = self.latest(application_id)
        if application_version is None:
            detail = f"The application {application_id} has no version that you may use."
            raise NotFound(Problem(status=404, detail=detail))
        return application_version if isinstance(application_version, str) else application_version.number


class Applications:
    """The applications of the platform that the caller may use."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.versions = Versions(api)

    def list(self) -> Iterator[ApplicationReadShortResponse]:
        """Every application, page by page."""
        return rows(
            self._api,
            ApplicationReadShortResponse,
            "/api/v1/applications",
            page_size=MAX_PAGE_SIZE,
            size_param="page-size",
        )

    def details(self, application_id: str) -> ApplicationReadResponse:
        """One application with its versions.

        Raises
        ------
        NotFound
        """
        return self._api.read(ApplicationReadResponse, f"/api/v1/applications/{segment(application_id)}")


def precedence(number: str) -> tuple[object, ...]:
    """Sort key of a version number: Semantic Versioning 2.0.0, rule 11."""
    matched = re.match(SEMVER_PATTERN, number)
    if matched is None:
        return (0, 0, 0, 0, ())
    major, minor, patch, pre_release, _ = matched.groups()
    # Numeric identifiers come before others; a release comes after all its pre-releases.
    identifiers = tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in (pre_release or "").split(".") if part
    )
    return (int(major), int(minor), int(patch), 0 if pre_release else 1, identifiers)
