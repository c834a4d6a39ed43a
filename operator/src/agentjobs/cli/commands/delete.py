"""`kubectl saj delete`"""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.errors import Exit
from agentjobs.cli.kube import APPROVALS, JOBS, Kube


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
    for job in jobs:
        kube.job(job)
    if not screen.confirmed(f"Delete {', '.join(jobs)} with all records of their runs?", yes=yes):
        raise typer.Exit(Exit.NO)
    for job in jobs:
        kube.delete(JOBS, job)
        screen.say(f"{job} is deleted")
        for decision in (
            kube.all(APPROVALS, fieldSelector=f"spec.jobName={job}") if approvals else ()
        ):
            kube.delete(APPROVALS, decision["metadata"]["name"])
            screen.say(f"{decision['metadata']['name']} is deleted")
