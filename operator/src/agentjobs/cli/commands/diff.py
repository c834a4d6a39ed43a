"""`kubectl saj diff`: what waits, against what runs."""

from __future__ import annotations

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.contents import in_force, of_job
from agentjobs.cli.difference import coloured
from agentjobs.cli.errors import Exit
from agentjobs.cli.kube import Kube
from agentjobs.present.difference import unified
from agentjobs.present.shown import before_words


@options.on_cluster
def run(
    kube: Kube,
    job: options.Job,
) -> None:
    """Show what changed between the approved content that runs and the job as it is now.

    Exit code 1 when something did.
    """
    body = kube.job(job)
    before, after = in_force(kube, body), of_job(kube, body)
    names = (before_words(body, before), f"now {after.digest[:10]}")
    lines = unified(before.spec if before else None, after.spec, names)
    for line in coloured(lines, colour=screen.on_terminal(), width=screen.width()):
        screen.put(line)
    if lines:
        raise typer.Exit(Exit.NO)
