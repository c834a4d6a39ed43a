"""Derives the job's status, and the patch that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agentjobs.api.card import Card
from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.approval.card import card
from agentjobs.core.approval.in_force import found_in, in_force, is_suspended
from agentjobs.core.approval.second_person import of_unknown_author
from agentjobs.core.errors import UserError
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Stage, Write
from agentjobs.core.schedules.description import of_job
from agentjobs.core.schedules.starts import StartPlan, draw_for, has_fired
from agentjobs.core.status import conditions, story
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.job import JobView
from agentjobs.core.workload.settings import RunPolicy


def answer(
    observed: Observed,
    force: InForce,
    status: ScheduledAgentJobStatus,
    policy: RunPolicy,
    starts: StartPlan,
    active: story.Activity,
    *,
    obstacle: str | None,
    now: datetime,
    shown: Card | None,
) -> ScheduledAgentJobStatus:
    """The job's status: counters, history and pause as given, everything else derived again."""
    job = observed.job
    suspended = is_suspended(job)
    held = suspended or status.failure_pause is not None
    unsigned = policy.second_person and of_unknown_author(job)
    approved = conditions.approved(
        force, observed.approvals, status.conditions, observed.alone, unsigned=unsigned
    )
    packages = conditions.packages_approved(force, observed.packages_alone)
    next_run_at = to_wire(starts.start) if starts.start else None
    missed_since = starts.missed_since
    if any(write.stage == Stage.RECORD for write in starts.writes):
        # The mark moves on once the records of what was left out are there.
        next_run_at, missed_since = status.next_run_at, status.missed_since
    fired = force.spec is not None and has_fired(observed, force.spec.schedule)
    blocked = _blocked(observed, obstacle)
    obstacles = (obstacle, observed.gap, observed.refused)
    answers = {
        "Approved": approved,
        "PackagesApproved": packages,
        "Scheduled": conditions.scheduled(
            force, status, next_run_at, blocked, suspended=suspended, fired=fired
        ),
        "Ready": conditions.ready(force, (approved, packages), *obstacles, deleting=job.deleting),
    }
    phase, reason = story.story(
        force, status, answers, active, blocked=blocked, suspended=held, fired=fired
    )
    return status.model_copy(
        update={
            "observed_generation": job.generation,
            "phase": phase,
            "reason": reason,
            "conditions": conditions.conditions(status.conditions, answers, job.generation, now),
            "card": shown,
            "approval": conditions.approval(force, observed.approvals),
            "schedule": _in_words(force),
            "waiting": _waiting(force),
            "next_run_at": next_run_at,
            "missed_since": missed_since,
            "started_at": status.started_at,
        }
    )


def _blocked(observed: Observed, obstacle: str | None) -> str | None:
    """Why nothing starts, not by hand either; None: something may."""
    if observed.gap:
        return "PolicyMissing"
    if obstacle:
        return "NameTaken"
    return "Deleting" if observed.job.deleting else None


def with_card(
    observed: Observed, force: InForce, policy: RunPolicy, now: datetime
) -> tuple[InForce, Card | None]:
    """What is in force, and the card.

    A spec of which no card can be made is invalid; what was approved before goes on.
    """
    try:
        with found_in("spec"):
            return force, _card(observed, force, policy, now)
    except UserError as error:
        return in_force(observed, unusable=error), None


def _in_words(force: InForce) -> str | None:
    """The schedule of what runs, in words; where nothing does, of the spec as it is now."""
    spec = force.spec or (force.current.spec if force.current else None)
    return of_job(spec) if spec else None


def _waiting(force: InForce) -> str | None:
    """The schedule, in words, of a change that is not decided yet; None where it is the same."""
    if not force.changed or force.current is None or force.denied:
        return None
    wanted = of_job(force.current.spec)
    return wanted if wanted != _in_words(force) else None


def _card(observed: Observed, force: InForce, policy: RunPolicy, now: datetime) -> Card | None:
    if force.current is None:
        return None
    draw = draw_for(observed, force.current.spec.schedule)
    packages = observed.packages.without(observed.packages_alone)
    return card(observed.job.name, force.current, packages, policy.models, now, force.content, draw)


def status_write(
    job: JobView, status: ScheduledAgentJobStatus, where: tuple[Stage, str]
) -> Iterable[Write]:
    """Writes a changed status on top of what was read: two leaders cannot count a run twice.

    Where it counts runs it comes before their records; an answer alone comes after what it reports.
    """
    before, after = job.status.wire(), status.wire()
    if before != after:
        metadata = {"resourceVersion": job.resource_version}
        body = {"metadata": metadata, "status": merge_patch(before, after)}
        (stage, strand), why = where, f"it is {status.phase}"
        yield Write("patch", "job", job.name, why, body, "status", stage=stage, strand=strand)


def only_time_passed(before: ScheduledAgentJobStatus, after: ScheduledAgentJobStatus) -> bool:
    """Whether nothing is new except which starts come next."""
    later = before.model_copy(update={"next_run_at": after.next_run_at})
    if before.card and after.card:
        card = before.card.model_copy(update={"next_starts": after.card.next_starts})
        later = later.model_copy(update={"card": card})
    return later == after


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The RFC 7386 patch that turns `before` into `after`.

    Null removes, maps are merged, everything else is replaced.
    """
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if value != old:
                patch[key] = merge_patch(old, value)
        elif value != old:
            patch[key] = value
    return patch
