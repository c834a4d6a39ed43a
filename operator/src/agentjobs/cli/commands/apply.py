"""`kubectl saj apply`: render and write, on the server's side.

What changed waits for an approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.commands import render
from agentjobs.cli.contents import content_of
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import APPROVALS, FIELD_MANAGER, Json, Kube
from agentjobs.present.text import at

if TYPE_CHECKING:
    from agentjobs.cli.files.manifests import FileJob


@options.on_cluster
def run(
    kube: Kube,
    paths: render.Paths = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force-conflicts", help="Take over fields that another tool or person has set."
        ),
    ] = False,
) -> None:
    """Render and apply jobs.

    Nothing new runs before it is approved; each digest is printed with what it waits for.

    Nothing of a file with a mistake is applied; all other files are, and the exit code is that of
    the first mistake.
    """
    from agentjobs.cli.files.manifests import each_file, none_in
    from agentjobs.cli.files.together import apart

    chosen = render.chosen(paths)
    files = each_file(chosen)
    jobs, problems = apart(files)
    if not jobs and not problems:
        raise none_in(chosen)
    for problem in problems:
        screen.failed(problem)
    decided = _decided(kube) if jobs else {}
    left_out = {where for where, found in files.items() if found} - {job.where for job in jobs}
    applied = 0
    for job, refusal in _each_applied(kube, jobs, ("--force-conflicts",) if force else ()):
        if refusal:
            problems.append(refusal)
            screen.failed(refusal)
        else:
            applied += 1
            screen.say(_applied(job, decided))
    if applied and problems:
        screen.note(_counted(applied, len(jobs) - applied, len(left_out)))
    if problems:
        raise typer.Exit(problems[0].code)


def _counted(applied: int, refused: int, files: int) -> str:
    """How much was applied and how much was not. How many jobs a wrong file has is not known."""
    left_out = (
        f"{files} {'file' if files == 1 else 'files'} with mistakes" if files else "",
        f"{refused} {'job' if refused == 1 else 'jobs'} that the cluster refused"
        if refused
        else "",
    )
    return (
        f"applied: {applied} {'job' if applied == 1 else 'jobs'}; not applied:"
        f" {' and '.join(filter(None, left_out))}"
    )


def _each_applied(
    kube: Kube, jobs: Sequence[FileJob], flags: Sequence[str]
) -> Iterator[tuple[FileJob, CliError | None]]:
    """Each job with its refusal, if any: all at once, or singly if the cluster does not take all.

    Raises ApiServerError when the cluster does not answer.
    """
    from agentjobs.cli.files.documents import all_to_yaml

    def apply(some: Sequence[FileJob]) -> ApiServerError | None:
        written = all_to_yaml([job.manifest for job in some])
        chosen = (
            "--server-side",
            f"--field-manager={FIELD_MANAGER}",
            *flags,
            "--namespace",
            kube.namespace,
        )
        try:
            kube.run("apply", *chosen, "-f", "-", stdin=written)
        except ApiServerError as refusal:
            if refusal.code is Exit.TIMEOUT:
                raise
            return refusal
        return None

    whole = apply(jobs) if jobs else None
    for job in jobs:
        refusal = apply([job]) if whole and len(jobs) > 1 else whole
        yield (
            job,
            refusal and CliError(f"{job.where}: {refusal.message}", refusal.remedy, refusal.code),
        )


def _applied(job: FileJob, decided: Mapping[str, str] | None) -> str:
    """The sentence about a job that the cluster has now.

    `decided`: None where the user may not see it. Pure.
    """
    if any(at(job.spec, program, "configMapKeyRef") for program in ("script", "agent")):
        return f"{job.name} is applied; `kubectl saj cards {job.name}` shows what waits"
    digest = content_of(job.name, job.spec, job.where).digest
    if decided is None:
        return f"{job.name} {digest} is applied; you may not see whether it is approved"
    return f"{job.name} {digest} {decided.get(digest, 'waits for approval')}"


def _decided(kube: Kube) -> dict[str, str] | None:
    try:
        return decisions(kube.all(APPROVALS))
    except ApiServerError as refusal:
        if refusal.code is not Exit.FORBIDDEN:
            raise
    return None


def decisions(found: Iterable[Json]) -> dict[str, str]:
    """What was decided about each digest; a denial stands above approvals. Pure."""
    words = sorted(
        (str(at(body, "spec", "decision")).lower(), str(at(body, "spec", "digest")))
        for body in found
    )
    return {digest: decision for decision, digest in words}
