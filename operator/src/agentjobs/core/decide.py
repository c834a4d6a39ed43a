"""`decide`: from what was observed of one job to what is to be done. Read this first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from agentjobs.api.job import Card, ScheduledAgentJobStatus
from agentjobs.api.package_rules import canonical
from agentjobs.core import (
    approval,
    conditions,
    events,
    frozen,
    history,
    manifests,
    obstacles,
    pauses,
    phases,
    retention,
    revisions,
    runs,
    schedule,
    sessions,
    starts,
    stops,
    triggers,
)
from agentjobs.core.approval import Content
from agentjobs.core.card import card
from agentjobs.core.drift import spec_hash
from agentjobs.core.errors import UserError
from agentjobs.core.guard import PATIENCE
from agentjobs.core.manifests import Timing
from agentjobs.core.plan import ANSWER, CONTENT, STATUS, Force, Kind, Observed, Plan, Stage, Verb, Write
from agentjobs.core.policy import RunPolicy
from agentjobs.core.second_person import of_unknown_author
from agentjobs.core.sources import NO_SOURCES, Sources
from agentjobs.core.starts import Outlook
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views import BatchJobView, CronJobView, JobView
from agentjobs.core.words import of_job

OBSTACLE_SECONDS = 15.0
"""How often to see whether somebody else's CronJob is out of the way: it has no label that would make us hear of it."""
NO_EARLIER_THAN = timedelta(seconds=1)
"""The status is looked at again when a start has passed, not in the same second."""


def decide(observed: Observed, policy: RunPolicy, now: datetime) -> Plan:
    """The whole decision about one job. `now` is aware."""
    force, shown = _with_card(observed, in_force(observed), policy, now)
    steps = tuple(runs.follow(observed, force, policy, now))
    status = next((step.status for step in reversed(steps) if step.status), observed.job.status)
    active = phases.activity(steps)
    status = pauses.settled(observed.job, force, status if active.running or active.stuck else history.without_running(status), now)
    held = is_suspended(observed.job) or status.failure_pause is not None
    outlook = starts.outlook(observed, force, status, suspended=held, now=now)
    status = answer(observed, force, status, policy, outlook, active, now=now, shown=shown)
    can_wait = any(step.begins for step in steps) and only_time_passed(observed.job.status, status)
    telling = (Stage.RECORD, STATUS) if any(step.finished for step in steps) else (Stage.TELL, ANSWER)
    writes = (
        *stops.writes(observed, [content for content in (force.current, observed.previous) if content]),
        *_revision(observed, force),
        *_session_claim(observed, force, policy),
        *frozen.writes(observed, force),
        *_cron_job(observed, force, policy, outlook.timing, now),
        *outlook.writes,
        *events.of_starts(observed.job, (write for step in steps for write in step.before), now),
        *(write for step in steps for write in step.before),
        *events.of_taken(observed.job, observed.taken, now),
        *events.of_conditions(observed.job, status, telling, now),
        *(() if can_wait else _status(observed.job, status, telling)),
        *events.of_runs(observed.job, (step.finished for step in steps if step.finished), now),
        *(write for step in steps for write in step.after),
        *retention.writes(observed),
        *revisions.sweep(observed, force, now),
    )
    waits = [wait for wait in (outlook.requeue_after, *(step.requeue_after for step in steps)) if wait is not None]
    if obstacles.obstacle(observed, force):
        waits.append(OBSTACLE_SECONDS)
    if observed.gap:
        waits.append(PATIENCE.total_seconds())
    looks = (*_next_look(observed, force, now), *retention.next_look(observed), *revisions.next_look(observed, now))
    return Plan(tuple(sorted(writes, key=lambda write: write.stage)), min((*waits, *looks), default=None))


def current_content(job: JobView, sources: Sources = NO_SOURCES) -> Content:
    """The content of the spec as it is now. Raises UserError where it is no valid one."""
    if job.spec is None:
        raise UserError(job.problem or "the spec cannot be read")
    with _found_in("spec.schedule"):
        schedule.check(job.spec.schedule)
    with _found_in("spec.triggers"):
        triggers.check(job.spec)
    with _found_in("spec"):
        return approval.content(job.name, job.spec, sources)


@contextmanager
def _found_in(field: str) -> Iterator[None]:
    """Whatever a spec does to us is a problem of that spec: it must not keep a denial from its effect. Raises UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{field}: this cannot be worked with ({type(error).__name__}); write it in another way") from error


def in_force(observed: Observed, *, unusable: UserError | None = None) -> Force:
    """What runs, decided by the approvals alone: of its content and of its packages, in whatever order they came.

    `unusable`: why the spec as it is now has no content, where that is known already.
    """
    current, problem = None, unusable
    try:
        current = None if unusable else current_content(observed.job, observed.sources)
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
    active: phases.Activity,
    *,
    now: datetime,
    shown: Card | None,
) -> ScheduledAgentJobStatus:
    """The job's status: counters, history and pause as given, everything else derived anew."""
    job = observed.job
    suspended = is_suspended(job)
    held = suspended or status.failure_pause is not None
    unsigned = policy.second_person and of_unknown_author(job)
    told = conditions.approved(force, observed.approvals, status.conditions, observed.alone, unsigned=unsigned)
    packages = conditions.packages_approved(force, observed.packages_alone)
    next_run_at, missed_since = to_wire(outlook.start) if outlook.start else None, outlook.missed_since
    if any(write.stage == Stage.RECORD for write in outlook.writes):
        # The mark moves on once the records of what was left out are there.
        next_run_at, missed_since = status.next_run_at, status.missed_since
    fired = force.spec is not None and starts.has_fired(observed, force.spec.schedule)
    obstacle = obstacles.obstacle(observed, force)
    blocked = "PolicyMissing" if observed.gap else "NameTaken" if obstacle else "Deleting" if job.deleting else None
    answers = {
        "Approved": told,
        "PackagesApproved": packages,
        "Scheduled": conditions.scheduled(force, status, next_run_at, blocked, suspended=suspended, fired=fired),
        "Ready": conditions.ready(force, (told, packages), obstacle, observed.gap, observed.refused, deleting=job.deleting),
    }
    phase, reason = phases.story(force, status, answers, active, blocked=blocked, suspended=held, fired=fired)
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


def _with_card(observed: Observed, force: Force, policy: RunPolicy, now: datetime) -> tuple[Force, Card | None]:
    """A spec that nobody can be shown is invalid; what was approved before goes on."""
    try:
        with _found_in("spec"):
            return force, _card(observed, force, policy, now)
    except UserError as error:
        return in_force(observed, unusable=error), None


def _in_words(force: Force) -> str | None:
    """Of what runs; where nothing does, of what could."""
    spec = force.spec or (force.current.spec if force.current else None)
    return of_job(spec) if spec else None


def _waiting(force: Force) -> str | None:
    """Of a change that somebody has yet to decide about."""
    if not force.changed or force.current is None or force.denied:
        return None
    told = of_job(force.current.spec)
    return told if told != _in_words(force) else None


def _card(observed: Observed, force: Force, policy: RunPolicy, now: datetime) -> Card | None:
    if force.current is None:
        return None
    draw = starts.draw_for(observed, force.current.spec.schedule)
    packages = observed.packages.without(observed.packages_alone)
    return card(observed.job.name, force.current, packages, policy.models, now, force.content, draw)


def is_suspended(job: JobView) -> bool:
    """Also where the rest of the spec is invalid and an approved revision is in force: whoever says `suspend: true` wants no start.

    Nor does whoever deletes the job, if a finalizer keeps it.
    """
    return job.suspended or job.deleting


def _revision(observed: Observed, force: Force) -> Iterable[Write]:
    content = None if observed.job.deleting else force.content
    if content and revisions.frozen(observed, content.digest).name not in observed.revisions | observed.foreign:
        body = manifests.revision(observed.job, content)
        if left := observed.left_behind.get(body["metadata"]["name"]):
            why = "it is left of an earlier job of this name"
            yield replace(_of_content("delete", "revision", body["metadata"]["name"], why), uid=left)
        yield _of_content("create", "revision", body["metadata"]["name"], "what is approved, frozen", body)


def _session_claim(observed: Observed, force: Force, policy: RunPolicy) -> Iterable[Write]:
    wanted = force.spec is not None and sessions.continuous(force.spec)
    if wanted and observed.session_claim == "none" and not observed.job.deleting:
        body = manifests.session_claim(observed.job, policy)
        yield _of_content("create", "claim", body["metadata"]["name"], "runs remember earlier ones", body)


def _of_content(
    verb: Verb,
    kind: Kind,
    name: str,
    why: str,
    body: manifests.Manifest | None = None,
    subresource: Literal["", "status"] = "",
) -> Write:
    return Write(verb, kind, name, why, body, subresource, stage=Stage.CREATE, strand=CONTENT)


def _cron_job(observed: Observed, force: Force, policy: RunPolicy, timing: Timing | None, now: datetime) -> Iterable[Write]:
    cron, gap = observed.cron_job, observed.gap
    if cron and (cron.deleting or not cron.belongs_to(observed.job.uid)):
        return
    if force.content is None:
        yield from _withdraw(observed, cron)
        return
    if observed.job.deleting or timing is None or (gap and (cron is None or not gap.lasts(now))):
        return
    held = timing.suspended or gap is not None or obstacles.obstacle(observed, force) is not None
    frozen_as = revisions.frozen(observed, force.content.digest)
    body = manifests.cron_job(observed.job, force.content, policy, replace(timing, suspended=held), frozen_as)
    if cron:
        yield from _changed(observed, force.content, cron, body, now)
    elif not revisions.obstacle(observed, force):
        yield _of_content("create", "cronjob", observed.job.name, "the content is approved", body)


def _changed(observed: Observed, content: Content, cron: CronJobView, body: manifests.Manifest, now: datetime) -> Iterable[Write]:
    if body["spec"]["suspend"] and not cron.suspended:
        # A stop of its own, which depends on nothing; whatever else differs is written next.
        yield from _suspended(observed, cron, "nothing may start now")
        return
    wanted = spec_hash(body["spec"])
    owned = cron.labelled and cron.owner_uid == observed.job.uid
    if cron.spec_hash in (wanted, observed.settled.get(wanted)) and owned and cron.digest == content.digest:
        return
    as_read = {"uid": cron.uid, "resourceVersion": cron.resource_version}
    if _would_fire_old_starts(cron, body["spec"]):
        mark = {"metadata": as_read, "status": {"lastScheduleTime": to_wire(now)}}
        yield _of_content("patch", "cronjob", cron.name, "no old starts", mark, "status")
    body["metadata"] |= as_read
    yield _of_content("replace", "cronjob", cron.name, "it differs from what is approved", body)


def _suspended(observed: Observed, cron: CronJobView, why: str) -> Iterable[Write]:
    """Unless it is suspended anyway, for what needs no look at contents."""
    if not stops.no_more_starts(observed):
        yield stops.suspend(cron, why)


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
        yield from _suspended(observed, cron, "nothing is approved")
    elif not any(job.owner_uid == cron.uid for job in observed.batch_jobs):
        why = "nothing is approved"
        yield Write("delete", "cronjob", cron.name, why, uid=cron.uid, resource_version=cron.resource_version, expendable=True)


def _status(job: JobView, status: ScheduledAgentJobStatus, where: tuple[Stage, str]) -> Iterable[Write]:
    """Only when something changed, and only on top of what was read: two leaders cannot count a run twice.

    Where it counts runs it comes before their records; an answer alone waits until what it tells of is there.
    """
    before, after = job.status.wire(), status.wire()
    if before != after:
        body = {"metadata": {"resourceVersion": job.resource_version}, "status": merge_patch(before, after)}
        stage, strand = where
        yield Write("patch", "job", job.name, f"it is {status.phase}", body, "status", stage=stage, strand=strand)


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
