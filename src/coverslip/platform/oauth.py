"""The platform's OAuth 2.0 endpoints: tokens (RFC 6749), devices (RFC 8628), revocation (RFC 7009)."""

from typing import ClassVar, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from coverslip.contract.errors import CoverslipError
from coverslip.contract.identity import CLI_CLIENT_ID, DeviceAuthorizationResponse, TokenResponse
from coverslip.platform.connection import reason_of
from coverslip.platform.errors import AnswerNotUnderstood, ServerUnreachable
from coverslip.platform.problems import refusal

Answer = TypeVar("Answer", bound=BaseModel)


class GrantRefused(CoverslipError):
    """{description}"""

    code: ClassVar[str] = "CLIENT.GRANT_REFUSED"

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description=description or error)
        self.error = error


class OAuthEndpoints:
    """The endpoints of the platform at `root`, for the public client of the command line."""

    def __init__(self, root: str, http: httpx.Client) -> None:
        self.root = root
        self._http = http

    def token(self, grant_type: str, **fields: str | None) -> TokenResponse:
        """Ask for tokens.

        Raises
        ------
        GrantRefused
            With the RFC 6749 error code in `error`.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        return self._post("/oauth/token", TokenResponse, {"grant_type": grant_type, **given})

    def device_code(self) -> DeviceAuthorizationResponse:
        """Ask for a code that a person confirms in a browser."""
        return self._post("/oauth/device/code", DeviceAuthorizationResponse, {"scope": "offline_access"})

    def revoke(self, token: str) -> None:
        """End a login on the server."""
        self._send("/oauth/revoke", {"token": token})

    def _post(self, path: str, kind: type[Answer], form: dict[str, str]) -> Answer:
        response = self._send(path, form)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise AnswerNotUnderstood(url=self.root + path, reason=f"no {kind.__name__}") from error

    def _send(self, path: str, form: dict[str, str]) -> httpx.Response:
        try:
            response = self._http.post(self.root + path, data={"client_id": CLI_CLIENT_ID, **form})
        except httpx.TransportError as error:
            raise ServerUnreachable(url=self.root, reason=reason_of(error)) from error
        if response.is_success:
            return response
        try:
            body = response.json()
            raise GrantRefused(str(body["error"]), str(body.get("error_description") or ""))
        except (ValueError, TypeError, KeyError):
            raise refusal(response) from None
