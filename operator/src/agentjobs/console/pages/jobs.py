"""All jobs that somebody may see."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from agentjobs.console import reading
from agentjobs.console.render import now, page
from agentjobs.console.visitor import Visitor
from agentjobs.present import listing, rows
from agentjobs.present.listing import Choice

SAID: Final = {
    "pause": "Paused.",
    "resume": "Resumed.",
    "run": "Started: each job shows its new run.",
}
"""What the page says after an act on several jobs, by the word in its address."""


async def show(request: Request, visitor: Visitor) -> Response:
    choice = chosen(request, visitor)
    every, version = await reading.jobs(visitor.cluster, choice.namespace)
    found = listing.found(every, choice)
    return page(
        "jobs.html",
        request,
        visitor=visitor,
        choice=choice,
        query=listing.query,
        found=found,
        jobs=await reading.whole(visitor.cluster, found.jobs),
        facets=listing.FACETS,
        version=version,
        said=SAID.get(request.query_params.get("said", ""), ""),
        rows=rows,
        now=now(),
    )


def chosen(request: Request, visitor: Visitor) -> Choice:
    """What the address asks for."""
    given = request.query_params
    number = given.get("page", "1")
    return Choice(
        words=given.get("q", "")[:256],
        show=given.get("show", ""),
        namespace=given.get("namespace", visitor.namespace),
        label=given.get("label", "")[:512],
        order=given.get("order", ""),
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
    )
