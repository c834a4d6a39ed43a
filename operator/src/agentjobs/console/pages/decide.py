"""What waits for a decision, and the page on which it is made."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from agentjobs.console import reading
from agentjobs.console.reading import Reading
from agentjobs.console.render import now, page
from agentjobs.console.visitor import Visitor
from agentjobs.present import cards, points, rows
from agentjobs.present.difference import unified
from agentjobs.present.shown import before_words
from agentjobs.present.text import Line, at

SAID: Final = {"approved": "Approved.", "denied": "Denied."}
"""What a page says after a decision, by the word in its address: nobody else's words come there."""


async def waiting(request: Request, visitor: Visitor) -> Response:
    """The oldest first."""
    namespace = request.query_params.get("namespace", visitor.namespace)
    every, _ = await reading.jobs(visitor.cluster, namespace)
    whole = await reading.whole(visitor.cluster, filter(rows.waits, every))
    oldest_first = sorted(whole, key=lambda job: (since(job), at(job, "metadata", "name")))
    return page(
        "waiting.html",
        request,
        visitor=visitor,
        jobs=oldest_first,
        said=SAID.get(request.query_params.get("said", ""), ""),
        decided=request.query_params.get("job", "")[:320],
        since=since,
        rows=rows,
        now=now(),
    )


def since(job: dict[str, object]) -> str:
    """From when on the content has waited."""
    for condition in at(job, "status", "conditions") or ():
        if condition.get("type") == "Approved":
            return str(condition.get("lastTransitionTime") or "")
    return str(at(job, "metadata", "creationTimestamp") or "")


async def card(request: Request, visitor: Visitor) -> Response:
    """One job: what is different first, then all of it, then the buttons."""
    namespace, name = (request.path_params[part] for part in ("namespace", "name"))
    found = await reading.job(visitor.cluster, namespace, name)
    return await shown(request, visitor, found)


async def shown(
    request: Request, visitor: Visitor, found: Reading, status: int = 200, notice: str = ""
) -> Response:
    job = found.job
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    before, after = found.before, found.shown
    lines: list[Line] = []
    if after:
        names = (before_words(job, before), f"to decide {after.digest[:10]}")
        lines = unified(before.spec if before else None, after.spec, names)
    return page(
        "decide.html",
        request,
        status=status,
        visitor=visitor,
        notice=notice,
        job=job,
        found=found,
        namespace=namespace,
        name=name,
        points=points.points(before.spec if before else None, after.spec) if after else (),
        lines=[(line, _kind(line)) for line in lines],
        card=[entry for entry in cards.entries(job, changes=False) if entry[1]],
        hindrance=await hindrance(visitor, found),
        rows=rows,
        now=now(),
    )


def _kind(line: str) -> str:
    """How a line of a difference is marked."""
    if line.startswith(("+++", "---", "@@")):
        return "at"
    return {"+": "add", "-": "remove"}.get(line[:1], "")


async def hindrance(visitor: Visitor, found: Reading) -> str:
    """Why the person cannot decide here; empty if they can."""
    job = found.job
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    if found.problem:
        return f"There is nothing to decide: {found.problem}"
    if not await reading.may(visitor.cluster, namespace, "approve", "job", name):
        return (
            f"You may not decide about this job: it needs the verb approve on"
            f" scheduledagentjobs/{name} in the namespace {namespace}. Ask somebody who has it."
        )
    if not await reading.may(visitor.cluster, namespace, "create", "approval"):
        return (
            "You may not decide here: it needs the verb create on agentjobapprovals in the"
            f" namespace {namespace}."
        )
    return ""
