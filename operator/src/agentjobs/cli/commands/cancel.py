"""`kubectl saj cancel`"""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.actions import runs
from agentjobs.cli import options, screen
from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import RUNS, Json, Kube
from agentjobs.cli.writing import allowed


@options.on_cluster
def run(
    kube: Kube,
    name: Annotated[
        str,
        typer.Argument(
            metavar="JOB|RUN",
            help="A run, or a job: then all its unfinished runs.",
            show_default=False,
        ),
    ],
    yes: options.Yes = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """End a run; its output is kept. It cannot be taken back."""
    writes = allowed(runs.cancel(name, _found(kube, name)))
    names = ", ".join(write.name for write in writes)
    if not screen.confirmed(f"Cancel {names}?", yes=yes):
        raise typer.Exit(Exit.NO)
    for write in writes:
        options.show_one(kube.execute(write), output, f"{write.name} is being cancelled")


def _found(kube: Kube, name: str) -> list[Json]:
    """The run of this name, else the runs of the job of this name. Raises ApiServerError."""
    try:
        return [kube.get(RUNS, name)]
    except ApiServerError as refusal:
        if refusal.code is not Exit.NOT_FOUND:
            raise
    found = kube.all(RUNS, fieldSelector=f"spec.jobName={name}")
    if not found:
        kube.check_job(name, "neither a run nor a")
    return found
