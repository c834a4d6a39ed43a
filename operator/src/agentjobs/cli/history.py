"""`kubectl saj history`: runs, and starts that became none."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import options, rows
from agentjobs.cli.kube import JOBS, RUNS, Kube


@options.on_cluster
def run(
    kube: Kube,
    job: options.Job,
    limit: Annotated[int, typer.Option("--limit", "-l", help="Runs to show at most; 0 for all.")] = 20,
    output: options.Format = options.Output.TABLE,
) -> None:
    """List a job's runs, newest first, with the starts that did not happen and why."""
    found = rows.newest_first(kube.all(RUNS, fieldSelector=f"spec.jobName={job}"))
    if not found:
        kube.get(JOBS, job)  # says so when there is no such job
    shown = found[:limit] if limit else found
    options.show([shown], rows.RUNS, output, empty=f"{job} has no runs yet; `kubectl saj run {job}` starts one")
