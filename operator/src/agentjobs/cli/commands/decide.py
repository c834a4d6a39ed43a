"""`kubectl saj approve` and `kubectl saj deny`: show what would run, ask, write the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from agentjobs.actions import decisions
from agentjobs.actions.decisions import SHORT, Decision
from agentjobs.actions.refusal import Refusal
from agentjobs.cli import options, screen, warnings
from agentjobs.cli.commands import cards
from agentjobs.cli.contents import in_force, of_job
from agentjobs.cli.difference import coloured
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import APPROVALS, JOBS, Json, Kube
from agentjobs.cli.writing import allowed, create
from agentjobs.core.plan import Write
from agentjobs.present import rows
from agentjobs.present.difference import unified
from agentjobs.present.shown import Shown, before_words
from agentjobs.present.text import at

Jobs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[JOB]...", help="Jobs to decide about.", show_default=False),
]
Every = Annotated[
    bool, typer.Option("--all", help="All jobs of the namespace that wait for a decision.")
]
Digest = Annotated[
    str | None,
    typer.Option(
        "--digest",
        help="Decide about exactly this content, without a question; for pipelines.",
        show_default=False,
    ),
]
WithPackages = Annotated[
    bool | None,
    typer.Option(
        "--packages/--no-packages",
        help="Whether to approve the packages that wait, too; asked if left out.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Case:
    """A job, its content, and the write that decides about exactly this content."""

    job: Json
    shown: Shown
    write: Write

    @property
    def name(self) -> str:
        return str(self.job["metadata"]["name"])


Decide = Callable[[Json, str, str, Sequence[Json], str | None], Write | Refusal]
"""From a job, the digest that is meant, its content's digest, the decisions about it, a reason."""


@options.on_cluster
def approve(
    kube: Kube,
    jobs: Jobs = None,
    every: Every = False,
    digest: Digest = None,
    packages: WithPackages = None,
    reason: options.Reason = None,
    yes: options.Yes = False,
) -> None:
    """Approve jobs: shows each card and what changed since the last approval, then asks once.

    It writes one approval for each.
    """
    from agentjobs.actions import packages as of_packages

    cases = _cases(kube, jobs or [], decisions.approve, reason, every=every, digest=digest)
    pins = of_packages.waiting(case.job for case in cases)
    if digest is None:
        _present(kube, cases)
    for case in cases:
        on_card = at(case.job, "status", "card", "warnings") or () if digest else ()
        for sentence in (*on_card, *warnings.of(kube, case.job, case.shown)):
            screen.note(f"warning: {case.name}: {sentence}")
    if pins and (
        packages or (packages is None and digest is None and _about_packages(pins, yes=yes))
    ):
        write = allowed(of_packages.decide(pins, "Approved", reason))
        decide_packages(kube, write, "Approved")
    elif pins:
        screen.note(
            f"not approved yet: {', '.join(pins)}; without that the job does not run: `kubectl saj"
            " approve --packages`"
        )
    _ask(cases, "approve", yes=yes or digest is not None)
    _write(kube, cases, "Approved")


@options.on_cluster
def deny(
    kube: Kube,
    jobs: Jobs = None,
    every: Every = False,
    digest: Digest = None,
    reason: options.Reason = None,
    yes: options.Yes = False,
) -> None:
    """Deny jobs as they are now: this content never runs, and what runs of it is stopped."""
    cases = _cases(kube, jobs or [], decisions.deny, reason, every=every, digest=digest)
    if digest is None:
        _present(kube, cases)
    _ask(cases, "deny", yes=yes or digest is not None)
    _write(kube, cases, "Denied")


def _cases(
    kube: Kube,
    names: Sequence[str],
    decide: Decide,
    reason: str | None,
    *,
    every: bool,
    digest: str | None,
) -> list[Case]:
    """The jobs to decide about. Raises CliError where one cannot be decided about like this."""
    if bool(names) == every:
        raise CliError(
            "which jobs?",
            "name them, or take all that wait: --all; `kubectl saj cards` shows them",
            Exit.USAGE,
        )
    if digest and len(names) != 1:
        raise CliError(
            "--digest is about one content, so it needs exactly one job", "name the job", Exit.USAGE
        )
    found = (
        [kube.job(name) for name in names]
        if names
        else [job for job in kube.all(JOBS) if rows.waits(job)]
    )
    cases = [_case(kube, job, decide, reason, digest) for job in found]
    if not cases:
        screen.note(f"no job in namespace {kube.namespace} waits for a decision")
        raise typer.Exit(Exit.OK)
    return cases


def _case(kube: Kube, job: Json, decide: Decide, reason: str | None, digest: str | None) -> Case:
    shown = of_job(kube, job)
    known = _decisions(kube, str(job["metadata"]["name"]))
    meant = shown.digest if digest is None else digest
    return Case(job, shown, allowed(decide(job, meant, shown.digest, known, reason)))


def _decisions(kube: Kube, name: str) -> list[Json]:
    """About a job; none where the user may not read them."""
    try:
        return kube.all(APPROVALS, fieldSelector=f"spec.jobName={name}")
    except ApiServerError as refusal:
        if refusal.code is not Exit.FORBIDDEN:
            raise
    return []


def _present(kube: Kube, cases: Sequence[Case]) -> None:
    for case in cases:
        for line in cards.lines(
            case.job, colour=screen.on_terminal(), changes=False, width=screen.width()
        ):
            screen.put(line)
        screen.say()
        before = in_force(kube, case.job)
        names = (before_words(case.job, before), f"to decide {case.shown.digest[:SHORT]}")
        lines = unified(before.spec if before else None, case.shown.spec, names)
        for line in coloured(lines, colour=screen.on_terminal(), width=screen.width(), margin="  "):
            screen.put(line)
        screen.say()


def _ask(cases: Sequence[Case], verb: str, *, yes: bool) -> None:
    names = ", ".join(f"{case.name} ({case.shown.digest[:SHORT]})" for case in cases)
    if not screen.confirmed(f"{verb.capitalize()} {names}?", yes=yes):
        raise typer.Exit(Exit.NO)


def _write(kube: Kube, cases: Sequence[Case], decision: Decision) -> None:
    for case in cases:
        done, new = create(kube, case.write)
        person = at(done, "spec", "approvedBy") or "an unnamed person"
        screen.say(
            f"{decision.lower()}: {case.name} {case.shown.digest[:SHORT]} by"
            f" {person}{'' if new else ' already'}"
        )


def _about_packages(pins: Sequence[str], *, yes: bool) -> bool:
    screen.say(f"Packages that are not in the runner image: {', '.join(pins)}")
    return screen.confirmed("Approve these packages for this namespace?", yes=yes)


def decide_packages(kube: Kube, write: Write, decision: Decision) -> None:
    """Writes a decision about packages, and says so."""
    done, _ = create(kube, write)
    pins = ", ".join(done["spec"]["packages"])
    screen.say(
        f"{decision.lower()}: {pins} by {at(done, 'spec', 'approvedBy') or 'an unnamed person'}"
    )
