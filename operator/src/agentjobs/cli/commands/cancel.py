"""`kubectl saj cancel`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import RUNS, Json, Kube
from agentjobs.present import rows
from agentjobs.present.text import at


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
    going = _going(kube, name)
    names = ", ".join(str(body["metadata"]["name"]) for body in going)
    if not screen.confirmed(f"Cancel {names}?", yes=yes):
        raise typer.Exit(Exit.NO)
    for body in going:
        run_name = str(body["metadata"]["name"])
        options.show_one(
            kube.patch("agentjobruns", run_name, {"cancel": True}),
            output,
            f"{run_name} is being cancelled",
        )


def _going(kube: Kube, name: str) -> list[Json]:
    """The run of this name, else the runs of the job of this name, as far as they go on.

    Raises CliError when none does.
    """
    try:
        found = [kube.get(RUNS, name)]
    except ApiServerError as refusal:
        if refusal.code is not Exit.NOT_FOUND:
            raise
        found = kube.all(RUNS, fieldSelector=f"spec.jobName={name}")
        if not found:
            kube.check_job(name, "neither a run nor a")
    going = [body for body in found if at(body, "status", "phase") not in rows.FINAL]
    if not going:
        raise CliError(
            f"{_ended(name, found)}: there is nothing to cancel",
            "`kubectl saj history JOB` lists runs",
            Exit.NOT_FOUND,
        )
    return going


def _ended(name: str, found: Sequence[Json]) -> str:
    """Why nothing of it can be cancelled. Pure."""
    if not found:
        return f"the job {name} has no runs"
    if len(found) > 1:
        return f"all runs of {name} have ended"
    (body,) = found
    return f"the run {body['metadata']['name']} has ended ({rows.run_status(body)})"
