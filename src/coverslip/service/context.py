"""What every request needs, made once when the service starts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from coverslip.service.database.engine import Database
from coverslip.service.database.notifications import Notifications
from coverslip.service.encryption import Cipher
from coverslip.service.identity.commands import SignIn
from coverslip.service.identity.tokens import TokenIssuer
from coverslip.service.metrics.instruments import Metrics
from coverslip.service.scheduling.queue_snapshot import QueueSnapshot
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage.store import ObjectStore
from coverslip.service.webhooks.sending import Sender


@dataclass(frozen=True)
class Context:
    """The collaborators of the routes."""

    settings: ServiceSettings
    database: Database
    cipher: Cipher
    store: ObjectStore
    issuer: TokenIssuer
    sign_in: SignIn
    notifications: Notifications
    sender: Sender
    broken_applications: tuple[str, ...]
    queue: QueueSnapshot
    metrics: Metrics = field(default_factory=Metrics)
    event_readers: Counter[str] = field(default_factory=Counter)
    """How many event streams each user has open."""


def context_of(connection: HTTPConnection) -> Context:
    """The context of the application that serves this request."""
    return cast(Context, connection.app.state.context)


ContextDep = Annotated[Context, Depends(context_of)]
