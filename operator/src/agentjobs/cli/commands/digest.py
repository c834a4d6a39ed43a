"""`kubectl saj digest`: offline, from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentjobs.cli import screen
from agentjobs.cli.contents import content_of


def run(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Manifests, scripts, agent files or folders; - for stdin.",
            show_default=False,
        ),
    ],
) -> None:
    """Print what an approval of these files has to name: digest and job, without a cluster."""
    from agentjobs.cli.files.manifests import jobs_in

    for job in jobs_in(paths):
        screen.say(
            f"{content_of(job.name, job.spec, job.where, place=job.place).digest}  {job.name}"
        )
