"""Why an artifact cannot be downloaded."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class ArtifactNotFound(ServiceError):
    """artifact not found"""

    code = "ARTIFACT.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "It may not be ready yet: the item's `output_artifacts` say which are available."


class ArtifactDeleted(ServiceError):
    """The artifact has been deleted."""

    code = "ARTIFACT.DELETED"
    status = HTTPStatus.GONE
    remedy = "Submit the slide again to get it anew."


class ResultsDeleted(ServiceError):
    """The results of this run have been deleted already."""

    code = "RUN.RESULTS_DELETED"
    status = HTTPStatus.GONE
