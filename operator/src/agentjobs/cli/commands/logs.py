"""`kubectl saj logs`: what a run printed, live while it runs, from its record afterwards."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import AGAIN, PASSING, RUNS, SECONDS, Json, Kube
from agentjobs.present import rows
from agentjobs.present.output import ENVELOPE, why_empty
from agentjobs.present.text import at

RECORDED: Final = 30
"""Seconds in which a record is final once its run has ended, while the operator is there."""


@options.on_cluster
def run(
    kube: Kube,
    name: Annotated[
        str,
        typer.Argument(
            metavar="JOB|RUN", help="A run, or a job: then its newest run.", show_default=False
        ),
    ],
    stderr: Annotated[
        bool, typer.Option("--stderr", help="Only what went to stderr; from the record.")
    ] = False,
    follow_: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for more while it runs.")
    ] = False,
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds to follow at most.")] = 3900,
) -> None:
    """Show the output of a run: both streams live while it runs, stdout from its record afterwards.

    With --follow the exit code is 8 where the output that came ended before the run did.
    """
    record = _record(kube, name)
    run_name = str(record["metadata"]["name"])
    if at(record, "status", "phase") not in rows.FINAL:
        if stderr:
            raise CliError(
                f"AgentJobRun {run_name} still runs, and a live log does not tell stderr from"
                " stdout",
                "leave --stderr out, or wait until it has ended",
                Exit.USAGE,
            )
        if not follow_:
            snapshot(kube, run_name)
        elif problem := follow(kube, run_name, timeout):
            raise problem
        return
    stored(record, stderr=stderr)


def stored(record: Json, *, stderr: bool) -> None:
    """What the record holds, byte for byte; a note says what it lacks."""
    stream = "stderr" if stderr else "stdout"
    screen.output(str(at(record, "status", stream) or "").encode(errors="replace"))
    if why := why_empty(record, (stream,)):
        screen.note(f"{record['metadata']['name']} has no {stream}: {why}")
    elif at(record, "status", "logsComplete") is False or at(
        record, "status", f"{stream}DroppedBytes"
    ):
        screen.note(f"not all of {stream} was kept: {at(record, 'status', 'message')}")


def _record(kube: Kube, name: str) -> Json:
    """The run of this name, else the newest of the job of this name."""
    try:
        return kube.get(RUNS, name)
    except ApiServerError as refusal:
        if refusal.code is not Exit.NOT_FOUND:
            raise
    found = rows.newest_first(kube.all(RUNS, fieldSelector=f"spec.jobName={name}"))
    if not found:
        kube.check_job(name, "neither a run nor a")
        raise CliError(
            f"there is neither a run nor a job with runs named {name}",
            "`kubectl saj history JOB` lists runs",
            Exit.NOT_FOUND,
        )
    return found[0]


def snapshot(kube: Kube, run_name: str) -> None:
    """The log as far as it is."""
    pod = at(kube.get(RUNS, run_name), "status", "podName")
    if pod:
        _print(kube, pod, "--follow=false", SECONDS)
    else:
        screen.note(f"AgentJobRun {run_name} has not started yet")


def follow(kube: Kube, run_name: str, seconds: float) -> CliError | None:
    """The log as it grows, and what is wrong when it ended before its run.

    A run whose log is gone already is shown from its record.
    """
    end = kube.clock() + seconds
    for record in kube.watch(RUNS, run_name, seconds):
        phase, pod = at(record, "status", "phase"), at(record, "status", "podName")
        if phase in rows.FINAL:
            stored(record, stderr=False)
            return None
        if phase == "Running" and pod:
            try:
                whole = _print(kube, pod, "--follow=true", end - kube.clock())
            except ApiServerError as refusal:
                if refusal.code is Exit.NOT_FOUND:
                    continue
                if refusal.code not in PASSING:
                    raise
                whole = False
            if whole or ended(kube, run_name, min(RECORDED, end - kube.clock())):
                return None
            break
    if kube.clock() + AGAIN >= end:
        return late(run_name, seconds)
    message = (
        f"the output of AgentJobRun {run_name} ended here, and the run has not, as far as its"
        " record says"
    )
    return CliError(
        message,
        f"`kubectl saj logs --follow {run_name}` shows it again, from its beginning",
        Exit.TIMEOUT,
    )


def late(run_name: str, seconds: float) -> CliError:
    """Of a run that takes longer than somebody waits."""
    return CliError(
        f"AgentJobRun {run_name} did not end within {seconds:g} s",
        f"`kubectl saj logs {run_name}` shows how far it is",
        Exit.TIMEOUT,
    )


def ended(kube: Kube, run_name: str, seconds: float) -> Json | None:
    """The record, once it is final; None when it is not within so many seconds."""
    return next(
        (
            record
            for record in kube.watch(RUNS, run_name, seconds)
            if at(record, "status", "phase") in rows.FINAL
        ),
        None,
    )


def _print(kube: Kube, pod: str, follow_: str, seconds: float) -> bool:
    """Whether the runner's own lines came last, as they do where nothing is missing."""
    ours = False
    with kube.stream(
        "logs", "--namespace", kube.namespace, pod, "--container=runner", follow_, seconds=seconds
    ) as lines:
        for line in lines:
            ours = ENVELOPE.match(line) is not None
            if not ours:
                screen.output(line)
    return ours
