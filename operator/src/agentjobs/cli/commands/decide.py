"""`kubectl saj approve` and `kubectl saj deny`: show what would run, ask, write the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final, Literal

import typer

from agentjobs.cli import options, screen, warnings
from agentjobs.cli.commands import cards
from agentjobs.cli.contents import Shown, before_words, in_force, of_job
from agentjobs.cli.difference import coloured
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import APPROVALS, JOBS, PACKAGE_APPROVALS, Json, Kube
from agentjobs.present import rows
from agentjobs.present.difference import unified
from agentjobs.present.text import at, one_line

Decision = Literal["Approved", "Denied"]
DIGITS: Final = 16
"""Of a digest, in the name of a decision: another content with the same ones takes years to find,
and is told apart all the same."""
SHORT: Final = 10
"""Of a digest, in a sentence."""
NEEDS_APPROVAL = ": needs approval"
"""How a card says it of a package."""

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
    """A job and the content that would be decided about."""

    job: Json
    shown: Shown

    @property
    def name(self) -> str:
        return str(self.job["metadata"]["name"])


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
    cases = _cases(kube, jobs or [], every=every, digest=digest)
    _refuse_denied(kube, cases)
    pins = _waiting_pins(cases)
    if digest is None:
        _present(kube, cases)
    for case in cases:
        on_card = at(case.job, "status", "card", "warnings") or () if digest else ()
        for sentence in (*on_card, *warnings.of(kube, case.job, case.shown)):
            screen.note(f"warning: {case.name}: {sentence}")
    if pins and (
        packages or (packages is None and digest is None and _about_packages(pins, yes=yes))
    ):
        decide_packages(kube, pins, "Approved", reason)
    elif pins:
        screen.note(
            f"not approved yet: {', '.join(pins)}; without that the job does not run: `kubectl saj"
            " approve --packages`"
        )
    _ask(cases, "approve", yes=yes or digest is not None)
    _write(kube, cases, "Approved", reason)


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
    cases = _cases(kube, jobs or [], every=every, digest=digest)
    if digest is None:
        _present(kube, cases)
    _ask(cases, "deny", yes=yes or digest is not None)
    _write(kube, cases, "Denied", reason)


def _cases(kube: Kube, jobs: Sequence[str], *, every: bool, digest: str | None) -> list[Case]:
    if bool(jobs) == every:
        raise CliError(
            "which jobs?",
            "name them, or take all that wait: --all; `kubectl saj cards` shows them",
            Exit.USAGE,
        )
    if digest and len(jobs) != 1:
        raise CliError(
            "--digest is about one content, so it needs exactly one job", "name the job", Exit.USAGE
        )
    found = (
        [kube.job(job) for job in jobs]
        if jobs
        else [job for job in kube.all(JOBS) if rows.waits(job)]
    )
    cases = [Case(job, of_job(kube, job)) for job in found]
    for case in cases:
        _check(case, digest, partial(_decisions, kube, case.name))
    if not cases:
        screen.note(f"no job in namespace {kube.namespace} waits for a decision")
        raise typer.Exit(Exit.OK)
    return cases


def _check(case: Case, digest: str | None, decisions: Callable[[], Sequence[Json]]) -> None:
    """The content that is shown has to be the one meant, and the one that the operator means."""
    if digest not in (None, case.shown.digest):
        raise another(case, str(digest), decisions())
    told = at(case.job, "status", "card", "digest")
    fresh = at(case.job, "status", "observedGeneration") == at(case.job, "metadata", "generation")
    if told and fresh and told != case.shown.digest:
        raise CliError(
            f"ScheduledAgentJob {case.name}: this program computes the digest {case.shown.digest},"
            f" the operator {told}",
            "use `kubectl saj` of the operator's version, and try again: a ConfigMap may just have"
            " changed",
            Exit.CHANGED,
        )


def another(case: Case, given: str, decisions: Sequence[Json]) -> CliError:
    """Of a digest that is not the one of the content. Pure.

    The content changed only if the job is known to have had that digest.
    """
    shown = case.shown.digest
    earlier = {
        at(case.job, "status", "approval", "digest"),
        at(case.job, "status", "card", "digest"),
    }
    if given in earlier | {at(body, "spec", "digest") for body in decisions}:
        told, remedy = (
            f"the content changed: its digest was {given[:SHORT]}, and is {shown[:SHORT]} now",
            "read it again",
        )
    elif given[:SHORT] == shown[:SHORT]:
        told, remedy = (
            f"the digest that was given, {given}, is not the one of the content, {shown}",
            "give all 64 digits as they are shown",
        )
    else:
        told = (
            f"the digest that was given, {given[:SHORT]}, is not the one of the content,"
            f" {shown[:SHORT]}"
        )
        remedy = (
            "copy it from the card of this job; if it was right before, the content has changed"
        )
    return CliError(
        f"ScheduledAgentJob {case.name}: {told}",
        f"{remedy}: `kubectl saj cards {case.name}`",
        Exit.CHANGED,
    )


def _decisions(kube: Kube, name: str) -> list[Json]:
    """About a job; none where the user may not read them."""
    try:
        return kube.all(APPROVALS, fieldSelector=f"spec.jobName={name}")
    except ApiServerError as refusal:
        if refusal.code is not Exit.FORBIDDEN:
            raise
    return []


def _refuse_denied(kube: Kube, cases: Sequence[Case]) -> None:
    """An approval beside a denial of the same content would be written, and change nothing."""
    for case in cases:
        if problem := denied(case.name, case.shown.digest, _decisions(kube, case.name)):
            raise problem


def denied(name: str, digest: str, decisions: Sequence[Json]) -> CliError | None:
    """Who stands in the way of an approval, and how to lift that. Pure."""
    found = [
        body
        for body in decisions
        if at(body, "spec", "digest") == digest and at(body, "spec", "decision") == "Denied"
    ]
    if not found:
        return None
    who = at(found[0], "spec", "approvedBy") or "somebody"
    why = (
        f", because: {one_line(at(found[0], 'spec', 'reason'))}"
        if at(found[0], "spec", "reason")
        else ""
    )
    names = " ".join(body["metadata"]["name"] for body in found)
    return CliError(
        f"ScheduledAgentJob {name}: the content {digest[:10]} was denied by {who}{why}; an approval"
        " next to a denial does not count",
        f"change the job, or take the denial back: `kubectl delete aja {names} --namespace"
        f" {found[0]['metadata']['namespace']}`",
        Exit.NO,
    )


def _present(kube: Kube, cases: Sequence[Case]) -> None:
    for case in cases:
        for line in cards.lines(
            case.job, colour=screen.on_terminal(), changes=False, width=screen.width()
        ):
            screen.put(line)
        screen.say()
        before = in_force(kube, case.job)
        names = (before_words(case.job, before), f"to decide {case.shown.digest[:10]}")
        lines = unified(before.spec if before else None, case.shown.spec, names)
        for line in coloured(lines, colour=screen.on_terminal(), width=screen.width(), margin="  "):
            screen.put(line)
        screen.say()


def _ask(cases: Sequence[Case], verb: str, *, yes: bool) -> None:
    names = ", ".join(f"{case.name} ({case.shown.digest[:10]})" for case in cases)
    if not screen.confirmed(f"{verb.capitalize()} {names}?", yes=yes):
        raise typer.Exit(Exit.NO)


def _write(kube: Kube, cases: Sequence[Case], decision: Decision, reason: str | None) -> None:
    for case in cases:
        fields = {
            "jobName": case.name,
            "digest": case.shown.digest,
            "decision": decision,
            **({"reason": reason} if reason else {}),
        }
        done, new = _decided(kube, case, decision, fields)
        told = f"{decision.lower()}: {case.name} {case.shown.digest[:10]}"
        person = at(done, "spec", "approvedBy") or "an unnamed person"
        screen.say(f"{told} by {person}{'' if new else ' already'}")


def _decided(kube: Kube, case: Case, decision: Decision, fields: Json) -> tuple[Json, bool]:
    """The decision as the server has it, and whether it is new.

    A name that something else has is not taken for it: there are others.
    """
    name = f"{case.name}-{case.shown.digest[:DIGITS]}-{decision.lower()}"
    try:
        return write(kube, APPROVALS, "AgentJobApproval", {"name": name}, fields), True
    except ApiServerError as refusal:
        if refusal.reason != "AlreadyExists":
            raise
    found = kube.get(APPROVALS, name)
    if same_decision(found, fields):
        return found, False
    return write(kube, APPROVALS, "AgentJobApproval", {"generateName": f"{name}-"}, fields), True


def same_decision(body: Json, fields: Json) -> bool:
    """Whether an object says the same of the same content, and goes on doing so. Pure."""
    going = at(body, "metadata", "deletionTimestamp") is None
    return going and all(
        at(body, "spec", field) == fields[field] for field in ("jobName", "digest", "decision")
    )


def _waiting_pins(cases: Sequence[Case]) -> list[str]:
    lines = [
        str(line) for case in cases for line in at(case.job, "status", "card", "packages") or ()
    ]
    return sorted(
        {line.removesuffix(NEEDS_APPROVAL) for line in lines if line.endswith(NEEDS_APPROVAL)}
    )


def _about_packages(pins: Sequence[str], *, yes: bool) -> bool:
    screen.say(f"Packages that are not in the runner image: {', '.join(pins)}")
    return screen.confirmed("Approve these packages for this namespace?", yes=yes)


def decide_packages(
    kube: Kube, pins: Sequence[str], decision: Decision, reason: str | None
) -> None:
    """One PackageApproval for all of them."""
    fields = {
        "packages": list(pins),
        "decision": decision,
        **({"reason": reason} if reason else {}),
    }
    done = write(kube, PACKAGE_APPROVALS, "PackageApproval", {"generateName": "packages-"}, fields)
    screen.say(
        f"{decision.lower()}: {', '.join(pins)} by"
        f" {at(done, 'spec', 'approvedBy') or 'an unnamed person'}"
    )


def write(kube: Kube, collection: str, kind: str, metadata: Json, fields: Json) -> Json:
    """The decision as the server has it.

    The user's own name is written only where the server wants that. Raises ApiServerError.
    """
    body = {
        "apiVersion": options.API_VERSION,
        "kind": kind,
        "metadata": dict(metadata),
        "spec": dict(fields),
    }
    try:
        return kube.create(collection, body)
    except ApiServerError as refusal:
        if "approvedBy must be you" not in refusal.message:
            raise
    return kube.create(collection, {**body, "spec": {**fields, "approvedBy": kube.whoami()}})
