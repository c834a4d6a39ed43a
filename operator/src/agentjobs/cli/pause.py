"""`kubectl saj pause` and `kubectl saj resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import options

Jobs = Annotated[list[str], typer.Argument(metavar="JOB...", help="Names of ScheduledAgentJobs.", show_default=False)]


def pause(
    jobs: Jobs,
    output: options.Format = options.Output.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Stop scheduled starts. What runs finishes, and `run` still works. Needs no new approval."""
    kube = options.cluster(kubeconfig, context, namespace)
    for job in jobs:
        options.show_one(kube.patch("scheduledagentjobs", job, {"suspend": True}), output, f"{job} is paused")


def resume(
    jobs: Jobs,
    output: options.Format = options.Output.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Let scheduled starts happen again. Starts that were due meanwhile are not made up for."""
    kube = options.cluster(kubeconfig, context, namespace)
    for job in jobs:
        options.show_one(kube.patch("scheduledagentjobs", job, {"suspend": False}), output, f"{job} is resumed")
