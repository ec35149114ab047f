"""The caller's sessions (extension API)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from coverslip.contract.identity import SessionCreateRequest, SessionCreateResponse, SessionReadResponse
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep

router = APIRouter(prefix="/sessions", tags=["Sessions"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not there, ended, or not yours"}}
_FORBIDDEN: dict[int | str, dict[str, Any]] = {403: {"description": "The refresh token is not yours"}}


def _facts(session: AnyRow) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "client_id": session.client_id,
        "label": session.label,
        "organization_id": session.organization_id,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
    }


@router.get("", operation_id="list_sessions")
async def list_sessions(context: ContextDep, principal: PrincipalDep) -> list[SessionReadResponse]:
    """Where the caller is signed in, the newest first."""
    return [SessionReadResponse(**_facts(session)) for session in await context.sign_in.sessions.of(principal)]


@router.post("", status_code=status.HTTP_201_CREATED, operation_id="add_session", responses=_FORBIDDEN)
async def add_session(
    request: SessionCreateRequest, context: ContextDep, principal: PrincipalDep
) -> SessionCreateResponse:
    """Sign in another client of the caller, for use without a person; its refresh token is shown this once."""
    session, token = await context.sign_in.sessions.add(
        principal, refresh_token=request.refresh_token, client_id=request.client_id, label=request.label
    )
    return SessionCreateResponse(**_facts(session), refresh_token=token)


@router.delete(
    "/{session_id}", status_code=status.HTTP_204_NO_CONTENT, operation_id="end_session", responses=_NOT_FOUND
)
async def end_session(session_id: UUID, context: ContextDep, principal: PrincipalDep) -> None:
    """Sign out a client of the caller; its access tokens end too."""
    await context.sign_in.sessions.end(principal, session_id)
