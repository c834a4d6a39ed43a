"""The application: addresses, and what stands around every page."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from agentjobs.console import live
from agentjobs.console.pages import acts, decide, healths, helps, job, jobs, packages, run
from agentjobs.console.render import STATIC, message, static
from agentjobs.console.shield import Shield
from agentjobs.console.visitor import Door, Visitor
from agentjobs.core.errors import ClusterError, NotFound, Refused

Page = Callable[[Request, Visitor], Awaitable[Response]]

PAGES: Final[tuple[tuple[str, str, Page], ...]] = (
    ("GET", "/", jobs.show),
    ("GET", "/decide", decide.waiting),
    ("GET", "/decide/{namespace}/{name}", decide.card),
    ("GET", "/jobs/{namespace}/{name}", job.show),
    ("GET", "/runs/{namespace}/{name}", run.show),
    ("GET", "/runs/{namespace}/{name}/raw/{stream}", run.raw),
    ("GET", "/packages", packages.show),
    ("GET", "/health", healths.show),
    ("GET", "/help", helps.show),
    ("POST", "/decide/{namespace}/{name}", acts.decide),
    ("POST", "/jobs/{namespace}/{name}/run", acts.run),
    ("POST", "/jobs/{namespace}/{name}/pause", acts.pause),
    ("POST", "/jobs/{namespace}/{name}/resume", acts.resume),
    ("POST", "/runs/{namespace}/{name}/cancel", acts.cancel),
    ("POST", "/bulk", acts.bulk),
    ("POST", "/packages/{namespace}", acts.decide_packages),
    ("GET", "/live/jobs", live.jobs),
    ("GET", "/live/runs/{namespace}/{name}", live.run),
)
"""Method, address, page. `name` and `namespace` are single steps of a path."""
FOREVER: Final = "public, max-age=31536000, immutable"


def create(door: Door) -> ASGIApp:
    """The console behind this door."""
    routes = [Route(path, _behind(door, page), methods=[method]) for method, path, page in PAGES]
    app = Starlette(
        routes=[*routes, *door.routes, Route("/static/{digest}/{name}", _static)],
        exception_handlers={HTTPException: _no_page, Exception: _fault},
    )
    return Shield(app, door.admits)


def _behind(door: Door, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """A page for those whom the door lets in. What the cluster refuses becomes a sentence."""

    @functools.wraps(page)
    async def answer(request: Request) -> Response:
        visitor = await door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        try:
            return await page(request, visitor)
        except NotFound:
            return message(request, 404, "Not found", "It is not there any more, or it never was.")
        except Refused as refusal:
            return message(request, 403, "The API server refused this", str(refusal))
        except ClusterError as error:
            return message(request, 502, "The API server did not answer", str(error))

    return answer


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in {path.name for path in STATIC.iterdir()} or request.url.path != static(name):
        raise HTTPException(404)
    return FileResponse(STATIC / name, headers={"Cache-Control": FOREVER})


async def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = "There is no such page" if status == 404 else "This cannot be asked here"
    return message(request, status, title, "The list of jobs is a good place to start again.")


async def _fault(request: Request, _: Exception) -> Response:
    return message(
        request, 500, "A fault of the console", "Nothing was changed. Please report what you did."
    )
