"""Whether all that approvals rest on is in force, and what needs a person. Pure.

The screens read; what they read is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from agentjobs.present import rows
from agentjobs.present.text import Json, Tone, at, when

Verdict = Literal["ok", "problem", "unknown", "note"]
TONES: Final[dict[Verdict, Tone]] = {
    "ok": "good",
    "problem": "bad",
    "unknown": "waiting",
    "note": "active",
}
LEASE_NAME: Final = "agentjobs-operator"
LATE: Final = timedelta(seconds=60)
FAULTS: Final = {
    "Ready": frozenset(
        "PolicyMissing NameTaken InvalidSpec SourceMissing SourceNotLabelled SourceInvalid"
        " ClusterRefused".split()
    ),
    "Scheduled": frozenset({"NeverDue", "Past", "PausedAfterFailures"}),
}
"""Reasons of conditions that somebody has to do something about, beside decisions that wait or were
made."""
STARTED: Final = frozenset({"Triggered", "Running", "Blocked"})
"""Phases in which `Past` is no fault: the only start has become a run, or one goes on that may be
it."""
STUCK: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. A problem makes the exit code 1; a note is for people to judge."""

    verdict: Verdict
    text: str


def lease(leases: Sequence[Json], now: datetime) -> Iterator[Finding]:
    """Pure."""
    if not leases:
        yield Finding(
            "problem",
            f"no operator holds a lease named {LEASE_NAME}: is the chart installed, and does its"
            " pod run?",
        )
    for body in leases:
        renewed = at(body, "spec", "renewTime")
        where = f"the operator in namespace {body['metadata']['namespace']}"
        alive = bool(renewed) and now - datetime.fromisoformat(renewed) < LATE
        seen = when(renewed, now)
        yield (
            Finding("ok", f"{where} is alive")
            if alive
            else Finding("problem", f"{where} was last seen {seen}: see its log")
        )
    yield from several(
        "operators, in the namespaces", {str(body["metadata"]["namespace"]) for body in leases}
    )


def several(what: str, found: set[str]) -> Iterator[Finding]:
    """One cluster has room for one release. Pure."""
    if len(found) > 1:
        yield Finding(
            "problem",
            f"there are {len(found)} {what} {', '.join(sorted(found))}: they block each other;"
            " uninstall all but one",
        )


def enforced(names: set[str], deny: set[str]) -> Iterator[Finding]:
    """`deny`: the policies that a binding enforces. Pure."""
    if not names:
        yield Finding(
            "problem",
            "agentjobs has no admission policy: anyone who may create approvals can approve;"
            " upgrade the chart",
        )
    for name in sorted(names - deny):
        yield Finding(
            "problem", f"no binding enforces the admission policy {name}: upgrade the chart"
        )
    if names and names <= deny:
        yield Finding("ok", f"{len(names)} admission policies are in force")


def troubles(found: Sequence[Json], now: datetime) -> Iterator[Finding]:
    """What the operator says is wrong, and what it does not come to an end with. Pure."""
    wrong = [
        (job["metadata"]["name"], condition["message"])
        for job in found
        for condition in at(job, "status", "conditions") or ()
        if condition["reason"] in FAULTS.get(condition["type"], ())
        and not (condition["reason"] == "Past" and at(job, "status", "phase") in STARTED)
    ]
    unseen = [
        job["metadata"]["name"]
        for job in found
        if at(job, "status", "observedGeneration") != at(job, "metadata", "generation")
    ]
    yield from (Finding("problem", f"{name}: {message}") for name, message in wrong)
    yield from (
        Finding("problem", f"{name}: the operator has not read its latest change yet")
        for name in unseen
    )
    going = [
        job["metadata"]["name"]
        for job in found
        if _older(at(job, "metadata", "deletionTimestamp"), now)
    ]
    yield from (
        Finding("problem", f"{name}: its deletion does not finish: see its finalizers")
        for name in going
    )
    if not wrong and not unseen and not going:
        yield Finding("ok", f"{len(found)} jobs, none of them in trouble")


def _older(text: object, now: datetime) -> bool:
    """Whether this moment lies so far back that what began then is stuck."""
    try:
        return text is not None and now - datetime.fromisoformat(str(text)) > STUCK
    except (ValueError, TypeError):
        return False


def stuck(found: Sequence[Json], now: datetime) -> Iterator[Finding]:
    """Runs whose pods do not start, and runs that nobody starts. Pure."""
    going = [run for run in found if at(run, "status", "phase") not in rows.FINAL]
    late = [
        run
        for run in going
        if not at(run, "status", "startedAt")
        and _older(at(run, "metadata", "creationTimestamp"), now)
    ]
    for run in late:
        why = at(run, "status", "message") or "the operator says nothing about it: see its log"
        yield Finding("problem", f"the run {run['metadata']['name']} has not started: {why}")
    if not late:
        yield Finding("ok", f"{len(going)} unfinished runs, all of them started")
