"""Which packages jobs ask for, and what was decided about them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from agentjobs.actions.packages import NEEDS_APPROVAL
from agentjobs.console import reading
from agentjobs.console.pages.decide import SAID
from agentjobs.console.render import page
from agentjobs.console.visitor import Visitor
from agentjobs.present import package_rows
from agentjobs.present.rows import PACKAGE_TONES


async def show(request: Request, visitor: Visitor) -> Response:
    namespace = request.query_params.get("namespace", visitor.namespace)
    jobs = await reading.every(visitor.cluster, "job", namespace)
    decisions = await reading.every(visitor.cluster, "packageapproval", namespace)
    namespaces = sorted({str(body["metadata"]["namespace"]) for body in (*jobs, *decisions)})
    groups = []
    for each in namespaces:
        here = [job for job in jobs if job["metadata"]["namespace"] == each]
        about = [one for one in decisions if one["metadata"]["namespace"] == each]
        rows = package_rows.rows(here, about, package_rows.known(about, None, here))
        if rows:
            allowed = await reading.may(visitor.cluster, each, "create", "packageapproval")
            groups.append((each, rows, allowed))
    return page(
        "packages.html",
        request,
        visitor=visitor,
        groups=groups,
        tones=PACKAGE_TONES,
        said=SAID.get(request.query_params.get("said", ""), ""),
        needs=NEEDS_APPROVAL,
    )
