"""`kubectl saj pause` and `kubectl saj resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import options
from agentjobs.cli.kube import Kube

Jobs = Annotated[list[str], typer.Argument(metavar="JOB...", help="Names of ScheduledAgentJobs.", show_default=False)]


@options.on_cluster
def pause(kube: Kube, jobs: Jobs, output: options.Format = options.Output.TABLE) -> None:
    """Stop scheduled starts. What runs finishes, and `run` still works. Needs no new approval."""
    _suspend(kube, jobs, output, suspend=True)


@options.on_cluster
def resume(kube: Kube, jobs: Jobs, output: options.Format = options.Output.TABLE) -> None:
    """Let scheduled starts happen again. Starts that were due meanwhile are not made up for."""
    _suspend(kube, jobs, output, suspend=False)


def _suspend(kube: Kube, jobs: list[str], output: options.Output, *, suspend: bool) -> None:
    for job in jobs:
        done = kube.patch("scheduledagentjobs", job, {"suspend": suspend})
        options.show_one(done, output, f"{job} is {'paused' if suspend else 'resumed'}")
