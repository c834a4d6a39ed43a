"""`kubectl saj history`: runs, and starts that became none."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.kube import RUNS, Json, Kube
from agentjobs.present import rows
from agentjobs.present.output import why_empty
from agentjobs.present.text import at

EXPLAINED: Final = 5
"""So many runs without output get a sentence that says why."""


@options.on_cluster
def run(
    kube: Kube,
    job: options.Job,
    limit: Annotated[
        int, typer.Option("--limit", "-l", help="Runs to show at most; 0 for all.")
    ] = 20,
    output: options.Format = options.Output.TABLE,
) -> None:
    """List a job's runs, newest first, with the starts that did not happen and why."""
    found = rows.newest_first(kube.all(RUNS, fieldSelector=f"spec.jobName={job}"))
    empty = "" if found else _why_none(kube.job(job))
    shown = found[:limit] if limit else found
    options.show([shown], rows.RUNS, output, empty=empty)
    if output in (options.Output.TABLE, options.Output.WIDE):
        for record in shown[:EXPLAINED]:
            if why := why_empty(record):
                screen.note(f"{record['metadata']['name']} has no output: {why}")


def _why_none(job: Json) -> str:
    """Pure."""
    name = job["metadata"]["name"]
    conditions = at(job, "status", "conditions") or ()
    held = next(
        (
            condition["message"]
            for condition in conditions
            if condition["type"] in ("Ready", "Scheduled") and condition["status"] == "False"
        ),
        "",
    )
    return (
        f"{name} has no runs yet{f': {held}' if held else ''}; `kubectl saj run {name}` starts one"
    )
