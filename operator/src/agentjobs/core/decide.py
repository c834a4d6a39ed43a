"""`decide`: from what was observed of one job to what is to be done. Read this first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agentjobs.api.job import Card, ScheduledAgentJobStatus
from agentjobs.api.package_rules import canonical
from agentjobs.core import (
    approval,
    conditions,
    events,
    frozen,
    history,
    manifests,
    pauses,
    retention,
    revisions,
    runs,
    schedule,
    sessions,
    starts,
    triggers,
)
from agentjobs.core.approval import Content
from agentjobs.core.card import card
from agentjobs.core.drift import spec_hash
from agentjobs.core.errors import UserError
from agentjobs.core.guard import PATIENCE
from agentjobs.core.manifests import Timing
from agentjobs.core.plan import Force, Observed, Plan, Write
from agentjobs.core.policy import RunPolicy
from agentjobs.core.second_person import of_unknown_author
from agentjobs.core.sources import NO_SOURCES, Sources
from agentjobs.core.starts import Outlook
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views import BatchJobView, CronJobView, JobView, RunView

OBSTACLE_SECONDS = 15.0
"""How often to see whether somebody else's CronJob is out of the way: it has no label that would make us hear of it."""
NO_EARLIER_THAN = timedelta(seconds=1)
"""The status is looked at again when a start has passed, not in the same second."""


def decide(observed: Observed, policy: RunPolicy, now: datetime) -> Plan:
    """The whole decision about one job. `now` is aware."""
    force = in_force(observed)
    steps = tuple(runs.follow(observed, force, policy, now))
    status = next((step.status for step in reversed(steps) if step.status), observed.job.status)
    active = any(step.active for step in steps)
    status = pauses.settled(observed.job, force, status if active else history.without_running(status), now)
    held = is_suspended(observed.job) or status.failure_pause is not None
    outlook = starts.outlook(observed, force, status, suspended=held, now=now)
    status = answer(observed, force, status, policy, outlook, active=active, now=now)
    can_wait = any(step.begins for step in steps) and only_time_passed(observed.job.status, status)
    writes = (
        *_revision(observed, force),
        *_session_claim(observed, force, policy),
        *frozen.writes(observed, force),
        *_cron_job(observed, force, policy, outlook.timing, now),
        *outlook.writes,
        *events.of_starts(observed.job, (write for step in steps for write in step.before), now),
        *(write for step in steps for write in step.before),
        *events.of_taken(observed.job, observed.taken, now),
        *events.of_conditions(observed.job, status, now),
        *(() if can_wait else _status(observed.job, status)),
        *events.of_runs(observed.job, (step.finished for step in steps if step.finished), now),
        *(write for step in steps for write in step.after),
        *retention.writes(observed),
        *revisions.sweep(observed, force, now),
    )
    waits = [wait for wait in (outlook.requeue_after, *(step.requeue_after for step in steps)) if wait is not None]
    if runs.obstacle(observed, force):
        waits.append(OBSTACLE_SECONDS)
    if observed.gap:
        waits.append(PATIENCE.total_seconds())
    looks = (*_next_look(observed, force, now), *retention.next_look(observed), *revisions.next_look(observed, now))
    return Plan(writes, min((*waits, *looks), default=None))


def current_content(job: JobView, sources: Sources = NO_SOURCES) -> Content:
    """The content of the spec as it is now. Raises UserError where it is no valid one."""
    if job.spec is None:
        raise UserError(job.problem or "the spec cannot be read")
    schedule.check(job.spec.schedule)
    triggers.check(job.spec)
    return approval.content(job.name, job.spec, sources)


def in_force(observed: Observed) -> Force:
    """What runs, decided by the approvals alone: of its content and of its packages, in whatever order they came."""
    current, problem = None, None
    try:
        current = current_content(observed.job, observed.sources)
    except UserError as error:
        problem = error
    packages = observed.packages.without(observed.packages_alone)
    known = ((observed.previous, observed.packages), (current, packages))
    contents = {content.digest: content for content, counting in known if content and not counting.lacking(content.spec.packages)}
    digest = approval.in_force(
        current.digest if current and current.digest in contents else None,
        observed.previous.digest if observed.previous and observed.previous.digest in contents else None,
        observed.approvals,
    )
    return Force(
        current,
        contents[digest] if digest else None,
        problem,
        approval.verdict(current.digest, observed.approvals) if current else "Pending",
        packages.lacking(current.spec.packages) if current else {},
    )


def pins_in_use(observed: Observed, batch_jobs: Iterable[BatchJobView]) -> frozenset[str]:
    """Canonical pins of the packages that the job asks for, that what is in force has, and that its runs were started with."""
    specs = (observed.job.spec, observed.previous.spec if observed.previous else None)
    pins = (pin for spec in specs if spec for pin in spec.packages)
    return frozenset(map(canonical, (*pins, *(pin for job in batch_jobs for pin in job.packages))))


def answer(
    observed: Observed,
    force: Force,
    status: ScheduledAgentJobStatus,
    policy: RunPolicy,
    outlook: Outlook,
    *,
    active: bool,
    now: datetime,
) -> ScheduledAgentJobStatus:
    """The job's status: counters, history and pause as given, everything else derived anew."""
    job = observed.job
    suspended = is_suspended(job)
    held = suspended or status.failure_pause is not None
    unsigned = policy.second_person and of_unknown_author(job)
    told = conditions.approved(force, observed.approvals, status.conditions, observed.alone, unsigned=unsigned)
    packages = conditions.packages_approved(force, observed.packages_alone)
    next_run_at = to_wire(outlook.start) if outlook.start else None
    fired = force.spec is not None and starts.has_fired(observed, force.spec.schedule)
    answers = {
        "Approved": told,
        "PackagesApproved": packages,
        "Scheduled": conditions.scheduled(force, status, suspended, next_run_at, observed.gap),
        "Ready": conditions.ready(force, (told, packages), runs.obstacle(observed, force), observed.gap),
    }
    return status.model_copy(
        update={
            "observed_generation": job.generation,
            "phase": conditions.phase(force, status, active=active, suspended=held, fired=fired),
            "conditions": conditions.conditions(status.conditions, answers, job.generation, now),
            "card": _card(observed, force, policy, now),
            "approval": conditions.approval(force, observed.approvals),
            "next_run_at": next_run_at,
            "missed_since": outlook.missed_since,
            "started_at": status.started_at,
        }
    )


def _card(observed: Observed, force: Force, policy: RunPolicy, now: datetime) -> Card | None:
    if force.current is None:
        return None
    draw = starts.draw_for(observed, force.current.spec.schedule)
    packages = observed.packages.without(observed.packages_alone)
    return card(observed.job.name, force.current, packages, policy.models, now, force.content, draw)


def is_suspended(job: JobView) -> bool:
    """Also where the rest of the spec is invalid and an approved revision is in force: whoever says `suspend: true` wants no start."""
    return job.suspended


def _revision(observed: Observed, force: Force) -> Iterable[Write]:
    content = force.content
    if content and revisions.frozen(observed, content.digest).name not in observed.revisions | observed.foreign:
        body = manifests.revision(observed.job, content)
        yield Write("create", "revision", body["metadata"]["name"], "what is approved, frozen", body)


def _session_claim(observed: Observed, force: Force, policy: RunPolicy) -> Iterable[Write]:
    if force.spec and sessions.continuous(force.spec) and observed.session_claim == "none":
        body = manifests.session_claim(observed.job, policy)
        yield Write("create", "claim", body["metadata"]["name"], "runs remember earlier ones", body)


def _cron_job(observed: Observed, force: Force, policy: RunPolicy, timing: Timing | None, now: datetime) -> Iterable[Write]:
    cron = observed.cron_job
    if cron and (cron.deleting or not cron.belongs_to(observed.job.uid)):
        return
    if force.content is None:
        yield from _withdraw(observed, cron)
        return
    gap = observed.gap
    if timing is None or (gap and (cron is None or not gap.lasts(now))):
        return
    if cron is None and revisions.obstacle(observed, force):
        return
    held = timing.suspended or gap is not None or runs.obstacle(observed, force) is not None
    frozen_as = revisions.frozen(observed, force.content.digest)
    body = manifests.cron_job(observed.job, force.content, policy, replace(timing, suspended=held), frozen_as)
    if cron is None:
        yield Write("create", "cronjob", observed.job.name, "the content is approved", body)
        return
    wanted = spec_hash(body["spec"])
    owned = cron.labelled and cron.owner_uid == observed.job.uid
    if cron.spec_hash in (wanted, observed.settled.get(wanted)) and owned and cron.digest == force.content.digest:
        return
    as_read = {"uid": cron.uid, "resourceVersion": cron.resource_version}
    if _would_fire_old_starts(cron, body["spec"]):
        mark = {"metadata": as_read, "status": {"lastScheduleTime": to_wire(now)}}
        yield Write("patch", "cronjob", cron.name, "no old starts", mark, "status")
    body["metadata"] |= as_read
    yield Write("replace", "cronjob", cron.name, "it differs from what is approved", body)


def _would_fire_old_starts(cron: CronJobView, spec: manifests.Manifest) -> bool:
    """The controller makes up for starts that lie before a resume or an edit, unless it believes that it has just fired."""
    if spec["suspend"]:
        return False
    return cron.suspended or (cron.schedule, cron.time_zone) != (spec["schedule"], spec["timeZone"])


def _withdraw(observed: Observed, cron: CronJobView | None) -> Iterable[Write]:
    """Nothing may run: no new start from now on, and the CronJob goes when its last run is recorded.

    Not both at once: a start that its controller is just making would go with it.
    """
    if cron is None:
        return
    if not cron.suspended:
        body = {"metadata": {"uid": cron.uid}, "spec": {"suspend": True}}
        yield Write("patch", "cronjob", cron.name, "nothing is approved", body)
    elif not any(job.owner_uid == cron.uid for job in observed.batch_jobs):
        why = "nothing is approved"
        yield Write("delete", "cronjob", cron.name, why, uid=cron.uid, resource_version=cron.resource_version, expendable=True)


def _status(job: JobView, status: ScheduledAgentJobStatus) -> Iterable[Write]:
    """Only when something changed, and only on top of what was read: two leaders cannot count a run twice."""
    before, after = job.status.wire(), status.wire()
    if before != after:
        body = {"metadata": {"resourceVersion": job.resource_version}, "status": merge_patch(before, after)}
        yield Write("patch", "job", job.name, f"it is {status.phase}", body, "status")


def only_time_passed(before: ScheduledAgentJobStatus, after: ScheduledAgentJobStatus) -> bool:
    """Nothing is new but which starts come next."""
    later = before.model_copy(update={"next_run_at": after.next_run_at})
    if before.card and after.card:
        later = later.model_copy(update={"card": before.card.model_copy(update={"next_starts": after.card.next_starts})})
    return later == after


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The RFC 7386 patch that turns `before` into `after`: null removes, maps are merged, everything else is replaced."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if value != old:
                patch[key] = merge_patch(old, value)
        elif value != old:
            patch[key] = value
    return patch


def _next_look(observed: Observed, force: Force, now: datetime) -> Iterable[float]:
    """When the next start of either content has passed, what the card says of it is old."""
    for content in (force.current, force.content):
        if content:
            wanted = content.spec.schedule
            for start in schedule.next_starts(wanted, now, 1, starts.draw_for(observed, wanted)):
                yield (start - now + NO_EARLIER_THAN).total_seconds()


def decide_orphan(run: RunView, now: datetime) -> Plan:
    """A run whose job does not exist."""
    if run.adopted or run.final:
        return Plan()
    wait = (runs.ARRIVAL_GRACE - (now - run.created)).total_seconds()
    if wait > 0:
        return Plan(requeue_after=wait)
    message = f"there is no ScheduledAgentJob named {run.job} in this namespace"
    return Plan((runs.final(run, runs.skipped("JobNotFound", message, now)),))
