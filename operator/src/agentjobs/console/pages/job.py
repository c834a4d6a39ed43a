"""One job: what runs, what waits, what comes next, and what has been."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from agentjobs.console import reading
from agentjobs.console.render import now, page
from agentjobs.console.visitor import Visitor
from agentjobs.present import cards, remedies, rows
from agentjobs.present.text import at

ACTIVE: Final = frozenset({"Pending", "Running"})
SHOWS: Final = {
    "": "all",
    "failed": "failed",
    "unstarted": "did not start",
}
RUNS_ON_PAGE: Final = 50


async def show(request: Request, visitor: Visitor) -> Response:
    namespace, name = (request.path_params[part] for part in ("namespace", "name"))
    job = await visitor.cluster.get("job", namespace, name)
    runs = await reading.runs(visitor.cluster, namespace, name)
    only = request.query_params.get("runs", "")
    chosen = [run for run in runs if _belongs(run, only)]
    return page(
        "job.html",
        request,
        visitor=visitor,
        job=job,
        namespace=namespace,
        name=name,
        runs=chosen[:RUNS_ON_PAGE],
        more=max(0, len(chosen) - RUNS_ON_PAGE),
        only=only,
        shows=SHOWS,
        card=[entry for entry in cards.entries(job, changes=False) if entry[1]],
        conditions=at(job, "status", "conditions") or (),
        rows=rows,
        remedies=remedies,
        now=now(),
    )


def _belongs(run: dict[str, object], only: str) -> bool:
    phase = at(run, "status", "phase")
    if only == "failed":
        return phase in ("Failed", "TimedOut")
    return phase in ("Skipped", "Missed") if only == "unstarted" else True
