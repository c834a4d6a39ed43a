"""`kubectl saj run`: start a job by hand, and wait for what comes of it."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import logs, options, rows
from agentjobs.cli.kube import RUNS, Json, Kube
from agentjobs.cli.problem import Exit, Problem
from agentjobs.cli.text import at, one_line


@options.on_cluster
def run(
    kube: Kube,
    job: options.Job,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end; exit code 7 unless the run succeeded.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show the output while it runs; implies --wait.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds to wait at most.")] = 3900,
    name: Annotated[str | None, typer.Option("--name", help="Name of the run; made up if left out.", show_default=False)] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Start a job now. It works while the job is paused, too."""
    metadata = {"name": name} if name else {"generateName": f"{job}-"}
    body = {"apiVersion": options.API_VERSION, "kind": "AgentJobRun", "metadata": metadata, "spec": {"jobName": job}}
    started = kube.create(RUNS, body)
    run_name = str(started["metadata"]["name"])
    if not (wait or follow):
        options.show_one(started, output, f"run {run_name} was created; `kubectl saj logs {run_name}` shows its output")
        return
    options.note(f"run {run_name}")
    if follow:
        logs.follow(kube, run_name, timeout)
    record = finished(kube, run_name, timeout)
    sentence = f"{rows.run_status(record)}: {one_line(at(record, 'status', 'message'))}"
    if follow:
        options.note(sentence)
    else:
        options.show_one(record, output, f"{run_name} {sentence}")
    if at(record, "status", "phase") != "Succeeded":
        raise typer.Exit(Exit.RUN_FAILED)


def finished(kube: Kube, name: str, seconds: int) -> Json:
    """The record, once it is final."""
    for record in kube.watch(RUNS, name, seconds):
        if at(record, "status", "phase") in rows.FINAL:
            return record
    raise Problem(f"AgentJobRun {name} did not end within {seconds} s", f"`kubectl saj logs {name}` shows how far it is", Exit.TIMEOUT)
