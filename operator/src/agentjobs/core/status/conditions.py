"""The job's answer to its author: approval and conditions.

Reasons are constants and part of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.job_status import Approval, Condition, ScheduledAgentJobStatus
from agentjobs.api.package_rules import canonical
from agentjobs.api.schedule import Schedule
from agentjobs.core.admission import Gap
from agentjobs.core.approval.decisions import decided_by
from agentjobs.core.content.packages import PackageApprovalView, listed
from agentjobs.core.observed import InForce
from agentjobs.core.runs import pauses
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import words
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.approvals import ApprovalView

SHORT: Final = 10
STALLED: Final = frozenset(
    (
        *("InvalidSpec", "SourceNotLabelled", "SourceInvalid"),
        *("Denied", "PackageDenied", "NameTaken", "PolicyMissing"),
    )
)
"""Reasons of Ready that need somebody to act; waiting does not help."""
RETRIED: Final = frozenset({"ClusterRefused", "SourceMissing"})
"""Reasons of Ready that the operator tries again by itself, or that the next apply may end."""
DELETING: Final = (
    "the job is being deleted: nothing new starts; runs in progress continue until they are"
    " recorded, unless they are cancelled or denied"
)
ConditionState = tuple[str, str, str]
"""Status, reason, message."""


def approval(force: InForce, approvals: tuple[ApprovalView, ...]) -> Approval:
    """What is in force and who decided it."""
    if force.content is None:
        return Approval(state="Denied" if force.denied else "Pending")
    decision = decided_by(force.content.digest, "Approved", approvals)
    return Approval(
        state="Changed" if force.changed else "Approved",
        digest=force.content.digest,
        by=decision.by if decision else None,
        at=decision.at if decision else None,
    )


def approved(
    force: InForce,
    approvals: tuple[ApprovalView, ...],
    before: tuple[Condition, ...],
    alone: tuple[ApprovalView, ...] = (),
    *,
    unsigned: bool = False,
) -> ConditionState:
    """The condition Approved: about the spec as it is now.

    `before`: the conditions so far; `alone`: approvals without a second person.

    `unsigned`: there can be no second person, since nobody knows the first.
    """
    current = force.current
    keeps = ""
    if force.changed and force.content:
        keeps = f"; revision {force.content.digest[:SHORT]} stays in force"
    if current is None:
        reason = force.problem.reason if force.problem else "InvalidSpec"
        return "False", reason, f"the spec cannot be approved{keeps}; see the condition Ready"
    if force.verdict == "Approved":
        waits = f", but not all of its packages are{keeps}" if force.lacking else ""
        return "True", "Approved", f"digest {current.digest[:SHORT]} is approved{waits}"
    if force.verdict == "Denied":
        message = (
            f"digest {current.digest[:SHORT]} was denied{keeps}; change the job, or delete the"
            " denial"
        )
        return "False", "Denied", message
    if unsigned or alone:
        message = f"digest {current.digest[:SHORT]} {_one_person(alone, keeps, unsigned=unsigned)}"
        return "False", "SecondPersonNeeded", message
    strays = _strays(force, approvals, before)
    if strays:
        listed = ", ".join(strays[:5])
        message = (
            f"an approval exists for {listed}, but the digest of the content is now"
            f" {current.digest[:SHORT]}{keeps}; read the content again and approve that digest"
        )
        return "False", "DigestMismatch", message
    how = "to approve it, create an AgentJobApproval with the digest in status.card.digest"
    message = f"digest {current.digest[:SHORT]} waits for approval{keeps}; {how}"
    return "False", "Changed" if keeps else "PendingApproval", message


def _one_person(alone: tuple[ApprovalView, ...], keeps: str, *, unsigned: bool) -> str:
    if unsigned:
        why = (
            "approval needs a second person, and Kubernetes does not record who changed a ConfigMap"
            " last"
        )
        return (
            f"cannot be approved{keeps}: {why}; write the text inline instead of using"
            " configMapKeyRef"
        )
    who = ", ".join(sorted({approval.by or "somebody" for approval in alone})[:5])
    why = (
        "it has to come from a person other than the one who changed the content last, and not from"
        " a service account"
    )
    return f"waits for a second person{keeps}: the approval by {who} does not count; {why}"


def _strays(
    force: InForce, approvals: tuple[ApprovalView, ...], before: tuple[Condition, ...]
) -> list[str]:
    """Short digests of approvals that fit no present content.

    Where something is in force, approvals from before the change are history.
    """
    strays = [approval for approval in approvals if approval.decision == "Approved"]
    if force.content:
        since = next(
            (
                was.last_transition_time
                for was in before
                if (was.type, was.status) == ("Approved", "False")
            ),
            None,
        )
        strays = [
            stray
            for stray in strays
            if since and stray.at >= since and stray.digest != force.content.digest
        ]
    return sorted({stray.digest[:SHORT] for stray in strays})


def packages_approved(
    force: InForce, alone: tuple[PackageApprovalView, ...] = ()
) -> ConditionState:
    """The condition PackagesApproved: about the spec as it is now.

    `alone`: approvals without a second person.
    """
    if force.current is None:
        message = "the spec is not valid, so its packages are unknown; see the condition Ready"
        return "False", "InvalidSpec", message
    pins, lacking = force.current.spec.packages, force.lacking
    denied = [pin for pin, verdict in lacking.items() if verdict == "Denied"]
    if denied:
        message = (
            f"denied packages: {listed(denied)}; choose other versions, or delete the"
            " PackageApproval that denies them"
        )
        return "False", "PackageDenied", message
    wanted = set(map(canonical, lacking))
    who = sorted({approval.by or "somebody" for approval in alone if approval.packages & wanted})
    if who:
        why = (
            "it has to come from a person other than the one who changed the content last, and not"
            " from a service account"
        )
        message = (
            f"packages waiting for a second person: {listed(lacking)}; the approval by"
            f" {', '.join(who[:5])} does not count; {why}"
        )
        return "False", "SecondPersonNeeded", message
    if lacking:
        wait = f"packages waiting for approval ({len(lacking)} of {len(pins)})"
        message = f"{wait}: {listed(lacking)}; create a PackageApproval that names them"
        return "False", "PackagesPending", message
    if not pins:
        return "True", "NoPackages", "the job asks for no packages"
    message = f"every package is approved or in the runner image: {listed(pins)}"
    return "True", "PackagesApproved", message


def _held(
    spec: ScheduledAgentJobSpec, status: ScheduledAgentJobStatus, suspended: bool
) -> tuple[str, str] | None:
    if status.failure_pause:
        return "PausedAfterFailures", pauses.message(status, suspended=suspended)
    if not next_starts.is_timed(spec.schedule):
        by_triggers = "only its triggers and manual runs start it"
        starts = by_triggers if spec.triggers else "create an AgentJobRun to run it"
        return "NoSchedule", f"the job has no schedule; {starts}"
    return ("Suspended", "spec.suspend is true; manual runs still work") if suspended else None


def scheduled(
    force: InForce,
    status: ScheduledAgentJobStatus,
    next_run_at: str | None,
    blocked: str | None,
    *,
    suspended: bool,
    fired: bool,
) -> ConditionState:
    """The condition Scheduled.

    `suspended`: by spec.suspend; `blocked`: why nothing starts, not by hand either.
    """
    if force.spec is None:
        return "False", "NotApproved", "nothing is scheduled until the job is approved"
    if held := _held(force.spec, status, suspended):
        return "False", *held
    if blocked:
        return "False", blocked, "nothing new starts; the condition Ready says why"
    if next_run_at is None:
        return _never(force.spec.schedule, fired=fired)
    return "True", "Scheduled", words(force.spec.schedule)


def _never(wanted: Schedule, *, fired: bool) -> ConditionState:
    if wanted.once:
        happened = "the only start, at spec.schedule.once.runAt, has happened"
        passed = "spec.schedule.once.runAt has passed, and the job did not start then"
        what = happened if fired else passed
        how = "for another start, set another time and have the change approved"
        return "False", "Past", f"{what}; {how}"
    message = (
        "spec.schedule matches no day in the next five years; correct it and have the change"
        " approved"
    )
    return "False", "NeverDue", message


def ready(
    force: InForce,
    decisions: tuple[ConditionState, ...],
    obstacle: str | None,
    gap: Gap | None,
    refused: tuple[tuple[str, str], ...] = (),
    *,
    deleting: bool = False,
) -> ConditionState:
    """The condition Ready: what was asked for is what runs."""
    if gap:
        return "False", "PolicyMissing", gap.sentence()
    if force.problem:
        return "False", force.problem.reason, str(force.problem)
    if obstacle:
        return "False", "NameTaken", obstacle
    if deleting:
        return "False", "Deleting", DELETING
    if refused:
        return "False", refused[0][0], "; ".join(message for _, message in refused)
    undecided = next((decision for decision in decisions if decision[0] != "True"), None)
    return undecided or ("True", "Ready", "the approved content is in force")


def conditions(
    before: tuple[Condition, ...],
    answers: Mapping[str, ConditionState],
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions to write.

    A transition time moves only when the condition's status changes. Adds what kstatus derives from
    `Ready`.
    """
    old = {condition.type: condition for condition in before}

    def one(kind: str, status: str, reason: str, message: str) -> Condition:
        same = kind in old and old[kind].status == status
        return Condition.model_validate(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message[:4096],
                "observed_generation": generation,
                "last_transition_time": old[kind].last_transition_time if same else to_wire(now),
            }
        )

    ours = {
        kind: answer for kind, answer in answers.items() if kind not in ("Stalled", "Reconciling")
    }
    return tuple(
        one(kind, *answer) for kind, answer in {**ours, **_for_kstatus(ours.get("Ready"))}.items()
    )


def _for_kstatus(ready: ConditionState | None) -> Mapping[str, ConditionState]:
    """Stalled or Reconciling, which kstatus expects to be absent unless true.

    A wait for a decision is neither.
    """
    if ready and ready[0] != "True":
        for kind, reasons in (("Stalled", STALLED), ("Reconciling", RETRIED)):
            if ready[1] in reasons:
                return {kind: ("True", *ready[1:])}
    return {}
