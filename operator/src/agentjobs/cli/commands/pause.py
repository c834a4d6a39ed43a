"""`kubectl saj pause` and `kubectl saj resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.actions import jobs as actions
from agentjobs.cli import options
from agentjobs.cli.kube import Json, Kube
from agentjobs.present.text import at

Jobs = Annotated[
    list[str],
    typer.Argument(metavar="JOB...", help="Names of ScheduledAgentJobs.", show_default=False),
]


@options.on_cluster
def pause(kube: Kube, jobs: Jobs, output: options.Format = options.Output.TABLE) -> None:
    """Stop scheduled starts. What runs finishes, and `run` still works. Needs no new approval."""
    for job in _found(kube, jobs):
        write = actions.pause(job)
        options.show_one(kube.execute(write), output, f"{write.name} is paused")


@options.on_cluster
def resume(kube: Kube, jobs: Jobs, output: options.Format = options.Output.TABLE) -> None:
    """Let scheduled starts happen again, also after too many failures.

    Starts that were due meanwhile are not made up for.
    """
    for before in _found(kube, jobs):
        done = [kube.execute(write) for write in actions.resume(before)]
        options.show_one(done[-1], output, resumed(before))


def resumed(before: Json) -> str:
    """The sentence about a job that was like this before, with what still keeps it from starting.

    Pure.
    """
    name = at(before, "metadata", "name")
    failures = at(before, "status", "consecutiveFailures")
    after = (
        f" after {failures} failure{'s' * (failures != 1)} in a row"
        if at(before, "status", "failurePause")
        else ""
    )
    return f"{name} is resumed{after}{_still(before)}"


def _still(job: Json) -> str:
    name, state = at(job, "metadata", "name"), at(job, "status", "approval", "state")
    if state in ("Pending", "Denied"):
        return f", and starts nothing before it is approved: `kubectl saj cards {name}`"
    if not at(job, "spec", "schedule"):
        return f"; it has no schedule: `kubectl saj run {name}` starts it" + (
            ", as do its triggers" if at(job, "spec", "triggers") else ""
        )
    conditions = {found["type"]: found for found in at(job, "status", "conditions") or ()}
    due = conditions.get("Scheduled", {})
    return (
        f", but it is never due: {due['message']}"
        if due.get("reason") in ("Past", "NeverDue")
        else ""
    )


def _found(kube: Kube, jobs: list[str]) -> list[Json]:
    """All of them, each once, before the first is touched. Raises ApiServerError."""
    return [kube.job(name) for name in dict.fromkeys(jobs)]
