"""`kubectl saj delete`"""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.actions import decisions
from agentjobs.actions import jobs as actions
from agentjobs.cli import options, screen
from agentjobs.cli.errors import Exit
from agentjobs.cli.kube import APPROVALS, Kube
from agentjobs.core.plan import Write


@options.on_cluster
def run(
    kube: Kube,
    jobs: Annotated[
        list[str],
        typer.Argument(metavar="JOB...", help="Names of ScheduledAgentJobs.", show_default=False),
    ],
    approvals: Annotated[
        bool, typer.Option("--approvals", help="Delete the decisions about them, too.")
    ] = False,
    yes: options.Yes = False,
) -> None:
    """Delete jobs with the records of their runs. Decisions about them stay, unless --approvals."""
    found = {job: kube.job(job) for job in jobs}
    if not screen.confirmed(f"Delete {', '.join(jobs)} with all records of their runs?", yes=yes):
        raise typer.Exit(Exit.NO)
    for name, job in found.items():
        _delete(kube, actions.delete(job))
        about = kube.all(APPROVALS, fieldSelector=f"spec.jobName={name}") if approvals else ()
        for decision in about:
            _delete(kube, decisions.withdraw(decision))


def _delete(kube: Kube, write: Write) -> None:
    kube.execute(write)
    screen.say(f"{write.name} is deleted")
