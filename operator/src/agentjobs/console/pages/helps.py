"""Keys, and where to read more."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from agentjobs import __version__
from agentjobs.console.render import page
from agentjobs.console.visitor import Visitor


async def show(request: Request, visitor: Visitor) -> Response:
    return page("help.html", request, visitor=visitor, version=__version__)
