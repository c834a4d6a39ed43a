"""Jobs of several files, looked at together: what none of the files shows by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from agentjobs.api.resources import JOB
from agentjobs.cli.contents import content_of
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.files.manifests import FileJob
from agentjobs.present.text import at


@dataclass(frozen=True)
class Clash:
    """What is wrong with these files together."""

    files: frozenset[str]
    problem: CliError


def clash(jobs: Sequence[FileJob]) -> Clash | None:
    """The first: a name that two jobs have, or jobs that start after one another in a circle."""
    where: dict[str, str] = {}
    for job in jobs:
        if job.name in where:
            problem = CliError(
                f"{job.where}: {where[job.name]} has a job {job.name}, too",
                "give one of them another name",
                Exit.USAGE,
            )
            return Clash(frozenset({job.where, where[job.name]}), problem)
        where[job.name] = job.where
    return _circle(jobs, where)


def _circle(jobs: Sequence[FileJob], where: dict[str, str]) -> Clash | None:
    """The operator would skip the run that begins again."""
    try:
        TopologicalSorter({job.name: job.starts_after for job in jobs}).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        remedy = "take one of these jobs out of another's triggers, or give it a schedule"
        problem = CliError(
            f"these jobs start after one another in a circle: {' -> '.join(names)}",
            remedy,
            Exit.USAGE,
        )
        return Clash(frozenset(where[name] for name in names), problem)
    return None


def apart(files: dict[str, list[FileJob] | CliError]) -> tuple[list[FileJob], list[CliError]]:
    """The jobs of correct files, and what is wrong with the others, both in the files' order."""
    wrong = {
        where: found if isinstance(found, CliError) else _first_wrong(found)
        for where, found in files.items()
    }
    good = [
        job
        for where, found in files.items()
        if wrong[where] is None and not isinstance(found, CliError)
        for job in found
    ]
    while found := clash(good):
        good = [job for job in good if job.where not in found.files]
        wrong[next(where for where in files if where in found.files)] = found.problem
    return good, [problem for problem in wrong.values() if problem]


def _first_wrong(jobs: Sequence[FileJob]) -> CliError | None:
    """What the API would say of the first job that it would refuse."""
    for job in jobs:
        refers = any(at(job.spec, program, "configMapKeyRef") for program in ("script", "agent"))
        try:
            content_of(
                job.name, job.spec, job.where, (lambda _: "x") if refers else None, job.place
            )
        except CliError as problem:
            return problem
        if refused := JOB.problem(job.manifest):
            return CliError(
                f"{job.place('metadata', 'name')}: {refused}",
                "correct what is named there",
                Exit.USAGE,
            )
    return None
