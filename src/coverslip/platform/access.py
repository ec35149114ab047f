"""Sharing: who may read a run of yours, and the tokens by which others may."""

import builtins
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import PrivateAttr

from coverslip.contract.access import (
    GrantCreateRequest,
    GrantReadResponse,
    GrantRelation,
    ResourceType,
    ShareTokenCreateRequest,
    ShareTokenCreateResponse,
    ShareTokenReadResponse,
    SubjectType,
)
from coverslip.platform.api import Api, Params
from coverslip.platform.paging import MAX_PAGE_SIZE, rows

GRANTS = "/api/v1/access/grants"
SHARE_TOKENS = "/api/v1/access/share-tokens"


class AccessGrant(GrantReadResponse):
    """Somebody may read something, until this is revoked."""

    _api: Api = PrivateAttr()

    def __init__(self, *, api: Api, **data: Any) -> None:
        super().__init__(**data)
        self._api = api

    def revoke(self) -> None:
        """End the grant.

        Raises
        ------
        Conflict
            If it has been revoked before.
        """
        self._api.request("DELETE", f"{GRANTS}/{self.grant_id}")


class ShareToken(ShareTokenReadResponse):
    """A secret that opens, for whoever is signed in and holds it, what it is granted.

    Attributes
    ----------
    share_token
        The secret, if the token has just been made; it is never shown again.
    """

    share_token: str | None = None
    _api: Api = PrivateAttr()

    def __init__(self, *, api: Api, **data: Any) -> None:
        super().__init__(**data)
        self._api = api

    def list_share_grants(self, *, page_size: int = MAX_PAGE_SIZE) -> Iterator[AccessGrant]:
        """What the token has been granted, page by page; revoked grants too."""
        params: Params = {"subject_type": SubjectType.SHARE_TOKEN, "subject_id": str(self.share_token_id)}
        return list_grants(self._api, params, page_size=page_size)

    def revoke(self) -> None:
        """End the token, whatever it has been granted.

        Raises
        ------
        Conflict
            If it has been revoked before.
        """
        self._api.request("DELETE", f"{SHARE_TOKENS}/{self.share_token_id}")


class ShareTokens:
    """The share tokens that the caller made."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, expires_at: datetime | None = None) -> ShareToken:
        """Make a token with a new secret; it opens nothing before it is granted something.

        Parameters
        ----------
        expires_at
            A time in the future, with a time zone; for good when absent.

        Raises
        ------
        InvalidRequest
        """
        request = ShareTokenCreateRequest(expires_at=expires_at)
        response = self._api.request("POST", SHARE_TOKENS, body=request.model_dump(mode="json"))
        created = self._api.understand(ShareTokenCreateResponse, response)
        return ShareToken(api=self._api, **created.model_dump())

    def list(self, *, run_id: str | None = None, page_size: int = MAX_PAGE_SIZE) -> Iterator[ShareToken]:
        """The tokens, or those that open a run or something in it, newest first, page by page; revoked ones too."""
        found = rows(self._api, ShareTokenReadResponse, SHARE_TOKENS, {"run_id": run_id}, page_size=page_size)
        return (ShareToken(api=self._api, **row.model_dump()) for row in found)


def create_grant(
    api: Api, resource_type: ResourceType, resource_id: str, subject_type: SubjectType, subject_id: str
) -> AccessGrant:
    """Let somebody read something; asked for again, it is the same grant.

    Raises
    ------
    InvalidRequest, NotFound, AccessDenied
    """
    request = GrantCreateRequest.model_validate(
        {
            "resource_type": resource_type,
            "resource_id": resource_id,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "relation": GrantRelation.VIEWER,
        }
    )
    body = request.model_dump(mode="json", exclude_none=True)
    response = api.request("POST", GRANTS, body=body, repeatable=True)
    return AccessGrant(api=api, **api.understand(GrantReadResponse, response).model_dump())


def list_grants(
    api: Api,
    params: Params,
    *,
    relation: Sequence[GrantRelation] | None = None,
    page_size: int = MAX_PAGE_SIZE,
) -> Iterator[AccessGrant]:
    """The grants that the caller manages, narrowed by the query parameters of the API, newest first, page by page."""
    relations: builtins.list[str] | None = [str(each) for each in relation] if relation is not None else None
    found = rows(api, GrantReadResponse, GRANTS, {**params, "relation": relations}, page_size=page_size)
    return (AccessGrant(api=api, **row.model_dump()) for row in found)
