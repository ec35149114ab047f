"""API v1.0.0 as an application of its own, with its own document."""

from fastapi import Depends, FastAPI

from coverslip.service.errors import OF_EVERY_OPERATION, install_error_handlers
from coverslip.service.identity import me_routes
from coverslip.service.identity.authentication import TokenBeforeBody
from coverslip.service.legacy.routes import router
from coverslip.service.request_log import note_path_ids


def legacy_api() -> FastAPI:
    """API v1.0.0. Its last clients also ask who they are, which came after it was written down."""
    app = FastAPI(
        title="Coverslip Platform API, version 1.0.0",
        version="1.0.0",
        description="For older clients; it shows the same runs as the present API. New software uses that.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/legacy/api"}],
        root_path_in_servers=False,
        separate_input_output_schemas=False,
        responses=OF_EVERY_OPERATION,
        dependencies=[Depends(note_path_ids)],
    )
    app.add_middleware(TokenBeforeBody)
    app.include_router(router)
    app.include_router(me_routes.router)
    install_error_handlers(app)
    return app
