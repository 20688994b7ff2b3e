"""The routes of the server, and the only lines that know FastAPI."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from importlib import resources
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException

from vldeformer.errors import InputError
from vldeformer.section import expected_and_got
from vldeformer.serve.docs_page import docs_html
from vldeformer.serve.guard import Guard
from vldeformer.serve.messages import Answer, Health, Info, Problem
from vldeformer.serve.metrics import CONTENT_TYPE
from vldeformer.serve.refusal import RefusedError
from vldeformer.serve.service import MOST_HITS, Service
from vldeformer.serve.shown_pictures import IMAGE_SIDE, THUMB_SIDE
from vldeformer.serve.uploads import SCHEMA, Uploads


class AnyPath(PathConvertor):
    """The rest of an address, line feeds too: a file's name may hold them."""

    regex = "(?s:.*)"


register_url_convertor("any", AnyPath())
MOST_LETTERS = 2_000
LOOK_SECONDS = 1.0
STATIC = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SHOWN = "private, max-age=300"
Images = Annotated[int, Query(ge=1, le=MOST_HITS, description="images in the answer")]
ImageId = Annotated[str, Path(description="id of an image of the index, percent-encoded; it may hold /")]
Text = Annotated[str, Query(max_length=MOST_LETTERS, description="what to look for")]
Rerank = Annotated[bool, Query(description="let the joint model order the best")]
JSON = "application/json"


def search_app(service: Service, hosts: Sequence[str]) -> FastAPI:
    """The app. hosts: see ``Guard``."""
    app = FastAPI(title="vldeformer serve", version="1", docs_url=None, redoc_url=None, lifespan=_lifespan(service))
    app.add_middleware(Guard, metrics=service.metrics, hosts=hosts)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's way to change it
    _add_errors(app)
    _add_searches(app, service)
    _add_pictures(app, service)
    _add_pages(app, service)
    return app


def _lifespan(service: Service) -> Any:
    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(service.live.refresh)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.warm_up()
        looking = asyncio.create_task(look())
        yield
        looking.cancel()
        service.close()

    return lifespan


def _add_searches(app: FastAPI, service: Service) -> None:
    uploads = Uploads()

    @app.get("/search", response_model=Answer, responses=_problems(400, 409, 503), summary="Images for a text")
    async def search(request: Request, q: Text, k: Images = 24, rerank: Rerank = False) -> Response:
        return Response(await service.text(q, k, rerank, request.is_disconnected), media_type=JSON)

    @app.post(
        "/search/image",
        response_model=Answer,
        responses=_problems(400, 408, 413, 415, 503),
        openapi_extra=SCHEMA,
        summary="Images like a photograph that is sent in",
    )
    async def search_image(request: Request, k: Images = 24) -> Response:
        name, file = await uploads.receive(request)
        with file:
            return Response(await service.photograph(name, file, k, request.is_disconnected), media_type=JSON)

    @app.get(
        "/similar/{image_id:any}",
        response_model=Answer,
        responses=_problems(400, 404, 503),
        summary="Images like one of the index",
    )
    async def similar(request: Request, image_id: ImageId, k: Images = 24) -> Response:
        return Response(await service.similar(image_id, k, request.is_disconnected), media_type=JSON)


def _add_pictures(app: FastAPI, service: Service) -> None:
    async def picture(request: Request, image_id: str, side: int) -> Response:
        known = request.headers.get("if-none-match")
        tag, content = await service.picture(image_id, side, known, request.is_disconnected)
        headers = {"etag": tag, "cache-control": SHOWN}
        return Response(content, 304 if content is None else 200, headers, "image/jpeg")

    pictures: dict[str, Any] = {"response_class": Response, "responses": _problems(404, 503, answer={"image/jpeg": {}})}

    @app.get("/image/{image_id:any}", summary="The photograph as JPEG, at most 1600 pixels a side", **pictures)
    async def image(request: Request, image_id: ImageId) -> Response:
        return await picture(request, image_id, IMAGE_SIDE)

    @app.get("/thumb/{image_id:any}", summary="The photograph as JPEG, at most 320 pixels a side", **pictures)
    async def thumb(request: Request, image_id: ImageId) -> Response:
        return await picture(request, image_id, THUMB_SIDE)


def _add_pages(app: FastAPI, service: Service) -> None:
    page = resources.files("vldeformer.serve").joinpath("page")
    index = page.joinpath("index.html").read_bytes()
    kinds = {one: STATIC.get(PurePath(one.name).suffix) for one in page.iterdir()}
    files = {one.name: (one.read_bytes(), kind) for one, kind in kinds.items() if kind is not None}

    @app.get("/info", responses=_problems(), summary="What is served")
    async def info() -> Info:
        return service.info()

    @app.get("/health", responses=_problems(), summary="Whether the server answers")
    async def health() -> Health:
        return Health(status="ok", images=service.live.now.images)

    @app.get("/metrics", response_class=Response, responses=_problems(answer={"text/plain": {}}), summary="For Prometheus")
    async def metrics() -> Response:
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return HTMLResponse(index, headers={"cache-control": "no-cache"})

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in files:
            raise RefusedError(404, "there is no such file")
        content, kind = files[name]
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(docs_html(app.openapi()))


def _add_errors(app: FastAPI) -> None:
    def line(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        return JSONResponse({"error": " ".join(text.split())}, status, headers)

    @app.exception_handler(RefusedError)
    async def refused(_: Request, refusal: RefusedError) -> Response:
        headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
        # What is still being sent is not read; the connection cannot be used again.
        return line(refusal.status, refusal.line, headers | ({"connection": "close"} if refusal.status in (408, 413) else {}))

    @app.exception_handler(InputError)
    async def wrong(_: Request, error: InputError) -> Response:
        return line(400, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return line(400, f"{first['loc'][-1]}: {expected_and_got(first)}")

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        what = {404: "there is no such address", 405: f"{request.method} is not for this address"}
        return line(error.status_code, f"{what.get(error.status_code, error.detail)}; see /docs", dict(error.headers or {}))


def _problems(*statuses: int, answer: dict[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    meanings = {
        400: "a value that cannot be",
        404: "no such image",
        408: "the file does not come in time",
        409: "a photograph to re-rank cannot be read now",
        413: "too large",
        415: "no photograph",
        503: "too many are waiting, or the index cannot be read now",
    }
    found: dict[int | str, dict[str, Any]] = {one: {"model": Problem, "description": meanings[one]} for one in statuses}
    right: dict[str, Any] = {"description": "what was asked for"} | ({"content": answer} if answer else {})
    return {200: right, **found}


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description of the API, without the answers to wrong values that FastAPI gives and this server does not."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(name, None)
        app.openapi_schema = schema
    return app.openapi_schema


DESCRIPTION = (
    'Search in one\'s own photographs. A request that cannot be answered gets a status of 400 or above and {"error": "one line"}.'
)
