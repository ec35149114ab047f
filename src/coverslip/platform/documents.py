"""Release documents of application versions."""

import builtins
from pathlib import Path, PurePosixPath

from coverslip.contract.documents import VersionDocumentResponse
from coverslip.platform.api import Api, segment
from coverslip.platform.errors import FolderUnusable


class Documents:
    """The documents of one version of an application, such as its model card."""

    def __init__(self, api: Api, application_id: str, application_version: str) -> None:
        self._api = api
        self._path = f"/api/v1/applications/{segment(application_id)}/versions/{segment(application_version)}/documents"

    def list(self) -> builtins.list[VersionDocumentResponse]:
        """The documents that the caller may read, by name.

        Raises
        ------
        NotFound
            If there is no such version for the caller.
        """
        return self._api.read(builtins.list[VersionDocumentResponse], self._path)

    def details(self, document_name: str) -> VersionDocumentResponse:
        """What a document is.

        Raises
        ------
        NotFound
        """
        return self._api.read(VersionDocumentResponse, f"{self._path}/{segment(document_name)}")

    def read_content(self, document_name: str) -> bytes:
        """What a document says.

        Raises
        ------
        NotFound
        """
        url = self._api.redirect_target(f"{self._path}/{segment(document_name)}/content")
        return self._api.fetch(url)

    def download_to_path(self, document_name: str, destination: Path | str) -> Path:
        """Write a document to a file, or under its name into a folder.

        Returns
        -------
        The file.

        Raises
        ------
        NotFound
        FolderUnusable
            If the file cannot be written.
        """
        content = self.read_content(document_name)
        path = Path(destination)
        if path.is_dir():
            path /= PurePosixPath(document_name).name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise FolderUnusable(path=path, reason=error.strerror or error) from error
        return path
