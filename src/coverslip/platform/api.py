"""Requests to the platform: who asks, what is tried again, and what a refusal means."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

import httpx
from pydantic import TypeAdapter, ValidationError

from coverslip.platform.connection import ATTEMPTS, reason_of, wait_s
from coverslip.platform.errors import AnswerNotUnderstood, NotLoggedIn, ServerUnreachable
from coverslip.platform.problems import refusal

ACCEPT = "application/problem+json, application/json"
WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})

Answer = TypeVar("Answer")
Params = Mapping[str, str | int | list[str] | None]


def segment(value: str) -> str:
    """A value as one segment of a path: every slash in it is encoded too."""
    return quote(value, safe="")


def _place(response: httpx.Response) -> str:
    """Where an answer came from; without the query, which may hold the secret of a share token."""
    return str(response.url.copy_with(query=None))


class Api:
    """The HTTP interface of the platform at `root`, used with the tokens of `token_provider`.

    Reads are tried four times when the network or the server fails; so are writes that say they may be `repeatable`.
    When the server refuses a token, a provider that can `renew` is asked for another one, once.
    """

    def __init__(self, root: str, http: httpx.Client, token_provider: Callable[[], str]) -> None:
        self.root = root
        self.http = http
        self._token_provider = token_provider

    def read(self, kind: type[Answer], path: str, params: Params | None = None) -> Answer:
        """GET `path` and understand the answer as a `kind`."""
        return self.understand(kind, self.request("GET", path, params=params))

    def understand(self, kind: type[Answer], response: httpx.Response) -> Answer:
        """The body as a `kind` of the contract.

        Raises
        ------
        AnswerNotUnderstood
        """
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise AnswerNotUnderstood(url=_place(response), reason=f"{place} {fault['msg']}".strip()) from error

    def redirect_target(self, path: str, params: Params | None = None) -> str:
        """Where the platform sends a GET of `path`, without going there.

        Raises
        ------
        AnswerNotUnderstood
            If it does not redirect.
        """
        response = self.request("GET", path, params=params)
        if not response.has_redirect_location:
            raise AnswerNotUnderstood(url=_place(response), reason="expected a redirect")
        return urljoin(str(response.url), response.headers["location"])

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        """Send a request with the caller's token; `body` is sent as JSON, an answer may take up to `timeout_s`.

        Raises
        ------
        ServerUnreachable
            If nothing answers.
        Refused
            One of its kinds, by the status of the answer.
        """
        attempts = ATTEMPTS if (method == "GET" if repeatable is None else repeatable) else 1
        url = self.root + path
        given = {name: value for name, value in (params or {}).items() if value is not None}

        def send(token: str) -> httpx.Response:
            credentials = {"Authorization": f"Bearer {token}", "Accept": ACCEPT, **(headers or {})}
            limit = {} if timeout_s is None else {"timeout": timeout_s}
            return self._send(attempts, method, url, params=given, json=body, headers=credentials, **limit)

        token = self._token_provider()
        response = send(token)
        if response.status_code == 401:
            renew = getattr(self._token_provider, "renew", None)
            if renew is not None:
                response = send(renew(token))
        if response.status_code == 401:
            raise NotLoggedIn(url=self.root) from refusal(response)
        if response.is_error:
            raise refusal(response)
        return response

    def fetch(self, url: str) -> bytes:
        """What is behind a signed URL, which is its own permission: no token goes there.

        Raises
        ------
        Refused
            One of its kinds, by the status of the answer.
        """
        response = self._send(ATTEMPTS, "GET", url)
        if response.is_error:
            raise refusal(response)
        return response.content

    def anonymous(self, path: str) -> httpx.Response:
        """GET `path` without a token; the answer may be of any status."""
        return self._send(ATTEMPTS, "GET", self.root + path)

    def _send(self, attempts: int, method: str, url: str, **kwargs: Any) -> httpx.Response:
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self.http.request(method, url, **kwargs)
            except httpx.TransportError as error:
                if last:
                    raise ServerUnreachable(url=self.root, reason=reason_of(error)) from error
                time.sleep(wait_s(attempt))
                continue
            if last or response.status_code not in WORTH_ANOTHER_TRY:
                return response
            time.sleep(wait_s(attempt, response))
        raise AssertionError("at least one attempt is made")
