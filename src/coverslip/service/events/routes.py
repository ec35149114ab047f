"""The events of a run over HTTP (extension API)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, status

from coverslip.contract.events import RunEvent
from coverslip.service.access.reading import ShareToken
from coverslip.service.context import ContextDep
from coverslip.service.events.errors import TooManyStreams
from coverslip.service.events.reading import EventPage, read_events
from coverslip.service.events.stream import MEDIA_TYPE, MOST_STREAMS, PAGE, EventStream, frames
from coverslip.service.identity.authentication import PrincipalDep, current_member, current_principal

router = APIRouter(prefix="/runs", tags=["Events"])

_LARGEST_NUMBER = 2**63 - 1  # of PostgreSQL's bigint


@router.get(
    "/{run_id}/events",
    operation_id="list_events",
    summary="What happened to a run, and what happens",
    response_model=list[RunEvent],
    responses={
        200: {
            "description": "Events in order",
            "content": {
                MEDIA_TYPE: {"schema": {"type": "string"}, "example": "id: 1\nevent: run.submitted\ndata: {}\n\n"}
            },
        },
        204: {"description": "Server-Sent Events only: the run has ended, and there is nothing more"},
        404: {"description": "No such run for you"},
        429: {"description": "You have too many streams open"},
    },
)
async def list_events(
    run_id: UUID,
    request: Request,
    context: ContextDep,
    principal: PrincipalDep,
    after: Annotated[int, Query(ge=0, le=_LARGEST_NUMBER, description="Only events with a higher number")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most events of a list; streams have no limit")] = 100,
    last_event_id: Annotated[
        int | None, Header(ge=0, le=_LARGEST_NUMBER, description="Takes the place of `after`, as browsers send it")
    ] = None,
    share_token: ShareToken = None,
) -> Any:
    """A list of events; with `Accept: text/event-stream`, Server-Sent Events that go on until the run has ended.

    `id` is the number of an event, `event` its kind, `data` a JSON object as in the list. After an interruption, ask
    again with the last number you have: none is missing and none comes twice.
    """
    if last_event_id is not None:
        after = last_event_id
    is_stream = MEDIA_TYPE in request.headers.get("accept", "")

    if not is_stream:
        return (await read_events(context, principal, run_id, share_token, after=after, limit=limit)).events

    async def read_after(number: int) -> EventPage:
        # A stream outlives its first moment: who asks is looked up anew whenever something is to be sent.
        caller = current_principal(await current_member(request, context, None))
        return await read_events(context, caller, run_id, share_token, after=number, limit=PAGE)

    page = await read_after(after)
    if page.is_last and not page.events:
        # The one answer after which a browser's EventSource does not ask again.
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    if context.event_readers[principal.user_id] >= MOST_STREAMS:
        raise TooManyStreams(most=MOST_STREAMS)
    return EventStream(
        frames(context.notifications, run_id, page, read_after), context.event_readers, principal.user_id
    )
