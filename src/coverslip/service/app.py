"""The service as one ASGI application, made of one small application for each address."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from coverslip import __version__
from coverslip.applications.registry import broken, manifests
from coverslip.contract.health import HealthResponse, HealthStatus
from coverslip.contract.uploads import MAX_OBJECT_BYTES
from coverslip.fetching.allow_list import AllowList
from coverslip.service.access import grant_routes, share_token_routes
from coverslip.service.artifacts import routes as artifacts
from coverslip.service.attempts import routes as attempts
from coverslip.service.buckets import routes as bucket_key_routes
from coverslip.service.catalog import routes as catalog
from coverslip.service.catalog.registration import register
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.engine import Database
from coverslip.service.database.notifications import Notifications
from coverslip.service.database.scope import PlatformScope
from coverslip.service.documents import routes as documents
from coverslip.service.documents.registration import register_documents
from coverslip.service.encryption import Cipher
from coverslip.service.errors import OF_EVERY_OPERATION, install_error_handlers
from coverslip.service.events import routes as events
from coverslip.service.identity import (
    authorize_routes,
    discovery_routes,
    me_routes,
    oauth_routes,
    page_routes,
    session_routes,
)
from coverslip.service.identity.authentication import TokenBeforeBody
from coverslip.service.identity.commands import SignIn
from coverslip.service.identity.keys import load_signing_keys
from coverslip.service.identity.secrets import hash_secret
from coverslip.service.identity.tokens import TokenIssuer
from coverslip.service.items import routes as items
from coverslip.service.legacy.api import legacy_api
from coverslip.service.metrics import routes as metrics
from coverslip.service.quotas import routes as quotas
from coverslip.service.quotas import usage_routes
from coverslip.service.request_ids import RequestIds
from coverslip.service.request_log import RequestLog, note_path_ids
from coverslip.service.runs import routes as runs
from coverslip.service.s3.dialect import s3_dialect
from coverslip.service.s3.dialect_request import DIALECT_PATH, PUBLISHED_BUCKET_HOST
from coverslip.service.scheduling import policy_routes
from coverslip.service.scheduling import routes as scheduling
from coverslip.service.scheduling.lease_queries import register_worker
from coverslip.service.scheduling.queue_snapshot import QueueSnapshot
from coverslip.service.scheduling.sweeper import sweep_for_ever
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage import upload_routes
from coverslip.service.storage.backends import STORE_PATH, open_store
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.routes import directory_store_router
from coverslip.service.webhooks import routes as webhooks
from coverslip.service.webhooks.dispatcher import dispatch_for_ever
from coverslip.service.webhooks.sending import Sender

API_VERSION = "1.8.0"
"""The version of the published document that our API v1 implements."""

MAX_BODY_BYTES = 32 * 1024**2
"""Of a request; a run of 500 slides with ample metadata needs 2 MB. Uploads into the store have their own."""

_COMPRESSION = 5
"""Of zlib; lists of items shrink to a tenth, and more effort gains little."""

_ASSET_NAMES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")


class AnyPath(PathConvertor):
    """The rest of an address. Starlette's own stops at a line break, which an external id may hold."""

    regex = r"[\s\S]*"


register_url_convertor("path", AnyPath())


class RefuseNul:
    """Refuses addresses with a NUL character, which PostgreSQL cannot store and no id can hold."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\x00" in scope["path"] or b"%00" in scope.get("query_string", b"")):
            message = "The address holds a NUL character; remove %00 from it."
            fault = {"loc": ["path"], "msg": message, "type": "value_error"}
            await JSONResponse({"detail": [fault]}, status_code=422)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def api_v1() -> FastAPI:
    """API v1, as published, with its document and explorer."""
    app = FastAPI(
        title="Coverslip Platform API",
        version=API_VERSION,
        description=(
            "Send batches of whole slide images to versioned applications, watch them slide by slide, download the "
            "results. Every operation needs a token; `coverslip user login` gets one."
        ),
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/api"}],
        root_path_in_servers=False,
        separate_input_output_schemas=False,
        responses=OF_EVERY_OPERATION,
        dependencies=[Depends(note_path_ids)],
    )
    for router in (catalog.router, runs.router, items.router, artifacts.router, me_routes.router):
        app.include_router(router)
    for router in (grant_routes.router, share_token_routes.router, documents.router):
        app.include_router(router)

    @app.get("/v1/docs", include_in_schema=False)
    async def explorer() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/api/v1/openapi.json",
            title=app.title,
            swagger_js_url="/assets/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui.css",
            swagger_favicon_url="/assets/favicon-32x32.png",
        )

    app.add_middleware(TokenBeforeBody)
    app.add_middleware(GZipMiddleware, compresslevel=_COMPRESSION)
    install_error_handlers(app)
    return app


def extension_api() -> FastAPI:
    """Our extensions of the published API, with their own document."""
    app = FastAPI(
        title="Coverslip extensions",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        responses=OF_EVERY_OPERATION,
        dependencies=[Depends(note_path_ids)],
    )
    app.include_router(upload_routes.uploads_router)
    app.include_router(upload_routes.objects_router)
    app.include_router(bucket_key_routes.router)
    app.include_router(runs.extension_router)
    app.include_router(attempts.router)
    app.include_router(events.router)
    app.include_router(webhooks.router)
    app.webhooks.include_router(webhooks.messages)
    app.include_router(quotas.router)
    app.include_router(usage_routes.router)
    app.include_router(policy_routes.router)
    app.include_router(session_routes.router)
    app.add_middleware(TokenBeforeBody)
    app.add_middleware(GZipMiddleware, compresslevel=_COMPRESSION)
    install_error_handlers(app)
    return app


def _worker_api() -> FastAPI:
    app = FastAPI(
        title="Coverslip worker API",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        dependencies=[Depends(note_path_ids)],
    )
    app.include_router(scheduling.router)
    install_error_handlers(app)
    return app


async def _health(context: ContextDep) -> JSONResponse:
    try:
        async with asyncio.timeout(5), context.database.transaction(PlatformScope()):
            pass
    except (DBAPIError, TimeoutError, OSError):
        down = HealthResponse(status=HealthStatus.DOWN, reason="the database does not answer")
        return JSONResponse(down.model_dump(mode="json", exclude_none=True), status_code=503)
    health = HealthResponse(status=HealthStatus.UP)
    if context.broken_applications:
        reason = f"broken and left out: {', '.join(context.broken_applications)}; the log of the service says why"
        health = HealthResponse(status=HealthStatus.DEGRADED, reason=reason)
    return JSONResponse(health.model_dump(mode="json", exclude_none=True))


_ASSETS = {name: str(files("fastapi_swagger") / "resources" / name) for name in _ASSET_NAMES}


async def _asset(name: str) -> FileResponse:
    if name not in _ASSETS:
        raise HTTPException(404)
    return FileResponse(_ASSETS[name])


def build_app(settings: ServiceSettings) -> FastAPI:
    """The service for these settings."""
    store = open_store(settings)
    parts = {
        "/api/worker/v1": _worker_api(),
        "/api/coverslip/v1": extension_api(),
        "/api": api_v1(),
        "/legacy/api": legacy_api(),
    }

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        reader_url = settings.database_reader_url
        database = Database(
            settings.database_url.get_secret_value(),
            reader_url=reader_url.get_secret_value() if reader_url else None,
            pool_size=settings.database_pool_size,
        )
        cipher = Cipher.from_file(settings.encryption_key_file)
        issuer = TokenIssuer(
            await load_signing_keys(database, cipher),
            issuer=settings.issuer,
            audience=settings.audience,
            lifetime_s=settings.access_token_lifetime_s,
        )
        left_out = tuple(str(fault.facts["package"]) for fault in broken())
        sign_in = SignIn(database, issuer, refresh_token_lifetime_s=settings.refresh_token_lifetime_s)
        sender = Sender(AllowList(settings.fetch_allow), settings.webhook_timeout_s)
        queue = QueueSnapshot(database, max_age_s=settings.queue_position_age_s)
        context = Context(
            settings, database, cipher, store, issuer, sign_in, Notifications(database), sender, left_out, queue
        )
        for part in (app, *parts.values()):
            part.state.context = context
        applications = manifests()
        await register(database, applications)
        await register_documents(database, store, applications)
        if settings.worker_token_file is not None:
            token_hash = hash_secret(settings.worker_token_file.read_text().strip())
            async with database.transaction(PlatformScope()) as connection:
                await register_worker(connection, name="embedded", token_hash=token_hash)
        await context.notifications.start()
        background = [
            asyncio.create_task(sweep_for_ever(context), name="sweeper"),
            asyncio.create_task(dispatch_for_ever(context), name="webhooks"),
        ]
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await sender.close()
            await context.notifications.stop()
            await database.close()

    app = FastAPI(
        title="Coverslip",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
    )
    app.add_middleware(RefuseNul)
    app.add_middleware(RequestLog)
    app.add_middleware(RequestIds)
    install_error_handlers(app)
    for path in ("/health", "/legacy/health"):
        app.add_api_route(path, _health, methods=["GET"], response_model=HealthResponse)
    app.include_router(oauth_routes.router)
    app.include_router(discovery_routes.router)
    app.include_router(authorize_routes.router)
    app.include_router(page_routes.router)
    app.include_router(metrics.router)
    if isinstance(store, DirectoryStore):
        app.include_router(directory_store_router(store), prefix=STORE_PATH)
    app.add_api_route("/assets/{name}", _asset, methods=["GET"])
    for path, part in parts.items():
        app.mount(path, part)
    dialect = RequestBodyLimitMiddleware(s3_dialect, max_body_size=MAX_OBJECT_BYTES)
    app.mount(DIALECT_PATH, dialect)
    if settings.bucket_at_published_host:
        app.host(PUBLISHED_BUCKET_HOST, dialect)

    return app
