"""The peer of the service's routes: FastAPI and uvicorn with one route that answers a fixed document."""

import json
import sys

import uvicorn
from fastapi import FastAPI, Response

document = json.dumps(json.load(sys.stdin)).encode()
app = FastAPI()


@app.get("/document")
async def read() -> Response:
    """What the service answered, from memory."""
    return Response(document, media_type="application/json")


uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
