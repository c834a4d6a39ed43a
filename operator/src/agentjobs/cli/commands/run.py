"""`kubectl saj run`: start a job by hand or by an event, and wait for what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentjobs.actions import runs
from agentjobs.cli import options, screen
from agentjobs.cli.commands import logs
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.files import events
from agentjobs.cli.kube import AGAIN, Kube
from agentjobs.cli.writing import create
from agentjobs.present import rows
from agentjobs.present.text import at, one_line


@options.on_cluster
def run(
    kube: Kube,
    job: options.Job,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", "-w", help="Wait for the end; exit code 7 unless the run succeeded."
        ),
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show the output while it runs; implies --wait.")
    ] = False,
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds to wait at most.")] = 3900,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the run; made up if left out.", show_default=False),
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option(
            "--event",
            help="A CloudEvent in a JSON file, or - for standard input: the run is the event's.",
            show_default=False,
        ),
    ] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Start a job now. It works while the job is paused, too, but not by an event.

    An event starts a job once: given a second time, it names the run that it has started, and
    --wait and --follow use that run.
    """
    if event and name:
        raise CliError(
            "--name: the run of an event has the event's own name", "leave --name out", Exit.USAGE
        )
    sent = events.event_in(event) if event else None
    # A run of a job that is not there would be a record of nothing; who may start one need not be
    # able to read it.
    kube.check_job(job)
    started, new = create(kube, runs.start_by_event(job, sent) if sent else runs.start(job, name))
    run_name = str(started["metadata"]["name"])
    sentence = (
        f"run {run_name} was created" if new else f"the event has its run already: {run_name}"
    )
    if not (wait or follow):
        options.show_one(
            started, output, f"{sentence}; `kubectl saj logs {run_name}` shows its output"
        )
        return
    screen.note(sentence if event else f"run {run_name}")
    _wait(kube, run_name, timeout, output, follow=follow)


def _wait(kube: Kube, run_name: str, timeout: int, output: options.Output, *, follow: bool) -> None:
    """Waits for the end of a run, shows it, and exits with its code. Raises CliError."""
    end = kube.clock() + timeout
    if follow and (problem := logs.follow(kube, run_name, timeout)) and kube.clock() + AGAIN < end:
        screen.note(problem.message)
    record = logs.ended(kube, run_name, end - kube.clock())
    if record is None:
        raise logs.late(run_name, timeout)
    ending = f"{rows.run_status(record)}: {one_line(at(record, 'status', 'message'))}"
    if follow:
        screen.note(ending)
    else:
        options.show_one(record, output, f"{run_name} {ending}")
    if at(record, "status", "phase") != "Succeeded":
        raise typer.Exit(Exit.RUN_FAILED)
