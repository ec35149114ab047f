"""What workers are told when they may not go on."""

from http import HTTPStatus
from typing import ClassVar

from coverslip.service.errors import ServiceError


class WorkerUnknown(ServiceError):
    """This worker's token is not known here."""

    code = "WORKER.UNKNOWN"
    status = HTTPStatus.UNAUTHORIZED
    remedy = "Register the worker, and give it the token of this platform."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class LeaseLost(ServiceError):
    """The lease of this item has expired or was revoked: stop working on it, and drop what is not reported."""

    code = "LEASE.LOST"
    status = HTTPStatus.CONFLICT


class InputNotDescribed(ServiceError):
    """The item has the inputs {names}, and the request describes others."""

    code = "INPUT.NOT_DESCRIBED"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Describe each input of the lease once."


class ArtifactNotDeclared(ServiceError):
    """This version declares no output artifact '{name}'."""

    code = "ARTIFACT.NOT_DECLARED"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Correct the application, or release a version whose manifest declares it."


class ArtifactMetadataInvalid(ServiceError):
    """The metadata of the output artifact '{name}' does not match its schema: {fault}."""

    code = "ARTIFACT.METADATA_INVALID"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Correct the application, or release a version whose manifest has another schema."


class ArtifactNotUploaded(ServiceError):
    """The file of '{name}' is not in the store, or is not what was reported: its size or checksum differs."""

    code = "ARTIFACT.NOT_UPLOADED"
    status = HTTPStatus.CONFLICT
