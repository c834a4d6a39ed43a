"""What forms ask for. Each is a POST, is done as the person, and ends on the page it began on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agentjobs.actions import decisions, jobs, packages, runs
from agentjobs.actions.refusal import Refusal
from agentjobs.console import reading
from agentjobs.console.doing import carry_out
from agentjobs.console.doing import decisions as decisions_about
from agentjobs.console.pages import decide as decide_page
from agentjobs.console.render import address, message
from agentjobs.console.visitor import Visitor
from agentjobs.core.errors import ClusterError
from agentjobs.core.plan import Write

MAX_REASON: Final = 1024
MAX_FIELDS: Final = 200
DECIDE: Final = {"Approved": decisions.approve, "Denied": decisions.deny}


async def form_of(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=MAX_FIELDS)


def _place(request: Request) -> tuple[str, str]:
    return request.path_params["namespace"], request.path_params["name"]


def _back(*steps: str, **query: object) -> Response:
    """To a page, which a reload then only reads."""
    return RedirectResponse(address(*steps, **query), 303)


def _refused(request: Request, refusal: Refusal) -> Response:
    return message(request, 409, refusal.message, refusal.remedy)


async def decide(request: Request, visitor: Visitor) -> Response:
    """A decision about exactly the content whose digest was on the page."""
    namespace, name = _place(request)
    form = await form_of(request)
    make = DECIDE.get(str(form.get("decision")))
    shown = str(form.get("digest", ""))
    if make is None:
        return message(request, 400, "Neither approved nor denied", "Use the buttons of the page.")
    found = await reading.job(visitor.cluster, namespace, name)
    if found.shown is None:
        return await decide_page.shown(request, visitor, found, 409)
    about = await decisions_about(visitor.cluster, namespace, name)
    reason = str(form.get("reason", ""))[:MAX_REASON].strip() or None
    write = make(found.job, shown, found.shown.digest, about, reason)
    if isinstance(write, Refusal):
        notice = f"Nothing was decided. {write.message}: {write.remedy}."
        return await decide_page.shown(request, visitor, found, 409, notice)
    done = await carry_out(visitor, namespace, write)
    if isinstance(done, Refusal):
        return _refused(request, done)
    return _back("decide", said=str(form.get("decision")).lower(), job=f"{namespace}/{name}")


async def run(request: Request, visitor: Visitor) -> Response:
    """Starts a job, and shows its run."""
    namespace, name = _place(request)
    done = await carry_out(visitor, namespace, runs.start(name))
    if isinstance(done, Refusal):
        return _refused(request, done)
    return _back("runs", namespace, done["metadata"]["name"])


async def pause(request: Request, visitor: Visitor) -> Response:
    namespace, name = _place(request)
    await _each(visitor, namespace, await _writes(visitor, "pause", namespace, name))
    return _back("jobs", namespace, name)


async def resume(request: Request, visitor: Visitor) -> Response:
    namespace, name = _place(request)
    await _each(visitor, namespace, await _writes(visitor, "resume", namespace, name))
    return _back("jobs", namespace, name)


async def cancel(request: Request, visitor: Visitor) -> Response:
    """Ends a run."""
    namespace, name = _place(request)
    record = await visitor.cluster.get("run", namespace, name)
    writes = runs.cancel(name, [record])
    if isinstance(writes, Refusal):
        return _back("runs", namespace, name)
    await _each(visitor, namespace, writes)
    return _back("runs", namespace, name)


async def _writes(visitor: Visitor, act: str, namespace: str, name: str) -> tuple[Write, ...]:
    if act == "run":
        return (runs.start(name),)
    job = await visitor.cluster.get("job", namespace, name)
    return (jobs.pause(job),) if act == "pause" else jobs.resume(job)


async def _each(visitor: Visitor, namespace: str, writes: Iterable[Write]) -> None:
    for write in writes:
        await visitor.cluster.write(namespace, write)


async def bulk(request: Request, visitor: Visitor) -> Response:
    """The same for several jobs: each for itself, and what failed is named."""
    form = await form_of(request)
    act = str(form.get("act"))
    if act not in ("pause", "resume", "run"):
        return message(request, 400, "Nothing to do", "Choose what to do with the jobs.")
    failed: list[str] = []
    chosen = [str(one) for one in form.getlist("job")]
    for one in chosen:
        namespace, _, name = one.partition("/")
        if not namespace or not name:
            failed.append(f"{one}: not a job")
            continue
        try:
            await _each(visitor, namespace, await _writes(visitor, act, namespace, name))
        except ClusterError as error:
            failed.append(f"{one}: {error}")
    if failed:
        title = f"{len(chosen) - len(failed)} of {len(chosen)} done"
        return message(request, 409, title, "; ".join(failed))
    return _back("", said=act, count=len(chosen))


async def decide_packages(request: Request, visitor: Visitor) -> Response:
    """One decision for the packages that were ticked."""
    form = await form_of(request)
    namespace = request.path_params["namespace"]
    decision = str(form.get("decision"))
    pins = [str(pin) for pin in form.getlist("pin")]
    if decision not in DECIDE or not pins:
        return message(request, 400, "Nothing was decided", "Tick packages, then use a button.")
    reason = str(form.get("reason", ""))[:MAX_REASON].strip() or None
    write = packages.decide(pins, "Approved" if decision == "Approved" else "Denied", reason)
    if isinstance(write, Refusal):
        return _refused(request, write)
    done = await carry_out(visitor, namespace, write)
    if isinstance(done, Refusal):
        return _refused(request, done)
    return _back("packages", namespace=namespace, said=decision.lower())
