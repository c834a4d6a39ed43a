"""One run: how it ended, what it printed, and the same while it goes on."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from agentjobs.console.render import now, page
from agentjobs.console.visitor import Visitor
from agentjobs.present import remedies, rows
from agentjobs.present.text import at, lines_of

STREAMS: Final = ("stdout", "stderr")


async def show(request: Request, visitor: Visitor) -> Response:
    namespace, name = (request.path_params[part] for part in ("namespace", "name"))
    run = await visitor.cluster.get("run", namespace, name)
    phase = at(run, "status", "phase") or "Pending"
    stream = request.query_params.get("stream", "")
    if stream not in STREAMS:
        stream = (
            "stderr"
            if phase in ("Failed", "TimedOut") and at(run, "status", "stderr")
            else "stdout"
        )
    text = str(at(run, "status", stream) or "")
    return page(
        "run.html",
        request,
        visitor=visitor,
        run=run,
        namespace=namespace,
        name=name,
        phase=phase,
        final=phase in rows.FINAL,
        stream=stream,
        streams=STREAMS,
        lines=lines_of(text) if text else (),
        remedy=remedies.of_run(at(run, "status", "reason")),
        rows=rows,
        now=now(),
    )


async def raw(request: Request, visitor: Visitor) -> Response:
    """A stream as it was recorded, to save or to search with other tools."""
    stream = request.path_params["stream"]
    run = await visitor.cluster.get(
        "run", request.path_params["namespace"], request.path_params["name"]
    )
    name = f"{request.path_params['name']}-{stream}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = str(at(run, "status", stream) or "") if stream in STREAMS else ""
    return PlainTextResponse(text.encode(errors="replace"), headers=headers)
