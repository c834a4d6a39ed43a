"""A run that a person asks for, and the end of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentjobs.actions import bodies
from agentjobs.actions.bodies import name_of
from agentjobs.actions.refusal import Refusal
from agentjobs.core import naming
from agentjobs.core.plan import Write
from agentjobs.core.views.event_digits import digits
from agentjobs.present import rows
from agentjobs.present.text import Json, at

if TYPE_CHECKING:
    from agentjobs.api.event import Event


def start(job: str, name: str | None = None) -> Write:
    """Starts a job by hand. `name`: of the run; None: the API server makes one up."""
    return bodies.create(
        "run",
        name or naming.generated(job),
        {"jobName": job},
        "a person starts the job",
        completed=not name,
    )


def start_by_event(job: str, event: Event) -> Write:
    """Starts a job by an event. The run has the event's name, so the same event starts it once."""
    spec = {"jobName": job, "trigger": {"type": "Event", "event": event.wire()}}
    name = naming.run_of_event(job, digits(event.source, event.id))
    return bodies.create("run", name, spec, "an event starts the job")


def cancel(name: str, found: Sequence[Json]) -> tuple[Write, ...] | Refusal:
    """Ends all of these runs that go on.

    `found`: the run of this name, or all runs of the job of this name.
    """
    going = [body for body in found if at(body, "status", "phase") not in rows.FINAL]
    if not going:
        return Refusal(
            "Ended",
            f"{_ended(name, found)}: there is nothing to cancel",
            "look for another run of the job",
        )
    return tuple(
        bodies.change("run", name_of(body), {"cancel": True}, "a person cancels the run")
        for body in going
    )


def _ended(name: str, found: Sequence[Json]) -> str:
    if not found:
        return f"the job {name} has no runs"
    if len(found) > 1:
        return f"all runs of {name} have ended"
    (body,) = found
    return f"the run {name_of(body)} has ended ({rows.run_status(body)})"
