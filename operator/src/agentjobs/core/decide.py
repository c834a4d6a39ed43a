"""`decide`: turns what was observed of one job into what is to be done. Read this first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from agentjobs.api.card import Card
from agentjobs.core import naming
from agentjobs.core.admission import PATIENCE
from agentjobs.core.approval import revisions
from agentjobs.core.approval.in_force import is_suspended
from agentjobs.core.content.digest import Content
from agentjobs.core.doubts import Situation, assess
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import ANSWER, CONTENT, STATUS, Kind, Plan, Stage, Verb, Write
from agentjobs.core.runs import following, history, pauses, resolutions, retention, stops
from agentjobs.core.runs.cases import Step
from agentjobs.core.schedules import accounting, next_starts
from agentjobs.core.schedules.starts import StartPlan, draw_for
from agentjobs.core.status import kube_events, story
from agentjobs.core.status.answer import answer, only_time_passed, status_write, with_card
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.spec_hash import spec_hash
from agentjobs.core.workload import cronjob, records, sessions
from agentjobs.core.workload.cronjob import Timing, would_fire_old_starts
from agentjobs.core.workload.settings import RunPolicy

OBSTACLE_SECONDS = 15.0
"""How often to check whether a foreign CronJob is out of the way: our watch does not show it."""
NO_EARLIER_THAN = timedelta(seconds=1)
"""The status is looked at again in the second after a start, not in the same one."""


def decide(observed: Observed, policy: RunPolicy, now: datetime) -> Plan:
    """Returns the whole decision about one job. `now` is aware."""
    situation, shown = _with_card(assess(observed), policy, now)
    force, obstacle = situation.force, situation.obstacle
    steps = tuple(
        following.follow(observed, force, situation.cases, policy, now, obstacle=obstacle)
    )
    status = next((step.status for step in reversed(steps) if step.status), observed.job.status)
    active = story.activity(steps)
    if not (active.running or active.stuck):
        status = history.without_running(status)
    status = pauses.settled(observed.job, force, status, now)
    held = is_suspended(observed.job) or status.failure_pause is not None
    starts = accounting.start_plan(observed, force, status, obstacle, suspended=held, now=now)
    status = answer(
        observed, force, status, policy, starts, active, obstacle=obstacle, now=now, shown=shown
    )
    can_wait = any(step.begins for step in steps) and only_time_passed(observed.job.status, status)
    records = any(step.finished for step in steps)
    answering = (Stage.RECORD, STATUS) if records else (Stage.TELL, ANSWER)
    contents = [content for content in (force.current, observed.previous) if content]
    first = tuple(write for step in steps for write in step.before)
    finished = [step.finished for step in steps if step.finished]
    writes = (
        *stops.writes(observed, contents),
        *_revision(observed, force),
        *_session_claim(observed, force, policy),
        *resolutions.writes(observed, force),
        *_cron_job(situation, policy, starts.timing, now),
        *starts.writes,
        *kube_events.of_starts(observed.job, first, now),
        *first,
        *kube_events.of_taken(observed.job, observed.taken, now),
        *kube_events.of_conditions(observed.job, status, answering, now),
        *(() if can_wait else status_write(observed.job, status, answering)),
        *kube_events.of_runs(observed.job, finished, now),
        *(write for step in steps for write in step.after),
        *retention.writes(observed),
        *revisions.sweep(observed, force, now),
    )
    return Plan(
        tuple(sorted(writes, key=lambda write: write.stage)),
        min(_waits(situation, starts, steps, now), default=None),
    )


def _waits(
    situation: Situation, starts: StartPlan, steps: Iterable[Step], now: datetime
) -> Iterator[float]:
    """Seconds to each moment at which something has to be looked at again."""
    observed = situation.observed
    for wait in (starts.requeue_after, *(step.requeue_after for step in steps)):
        if wait is not None:
            yield wait
    if situation.obstacle:
        yield OBSTACLE_SECONDS
    if observed.gap:
        yield PATIENCE.total_seconds()
    yield from _next_look(observed, situation.force, now)
    yield from retention.next_look(observed)
    yield from revisions.next_look(observed, now)


def _with_card(
    situation: Situation, policy: RunPolicy, now: datetime
) -> tuple[Situation, Card | None]:
    """The situation and the card; a spec of which no card can be made is assessed once more."""
    force, shown = with_card(situation.observed, situation.force, policy, now)
    if force is not situation.force:
        situation = assess(situation.observed, force)
    return situation, shown


def _revision(observed: Observed, force: InForce) -> Iterable[Write]:
    content = None if observed.job.deleting else force.content
    name = revisions.frozen(observed, content.digest).name if content else ""
    if content and name not in observed.revisions | observed.foreign:
        body = records.revision(observed.job, content)
        if left := observed.left_behind.get(body["metadata"]["name"]):
            why = "an earlier job of this name left it behind"
            yield replace(
                _of_content("delete", "revision", body["metadata"]["name"], why), uid=left
            )
        yield _of_content(
            "create", "revision", body["metadata"]["name"], "it freezes the approved content", body
        )


def _session_claim(observed: Observed, force: InForce, policy: RunPolicy) -> Iterable[Write]:
    wanted = force.spec is not None and sessions.continuous(force.spec)
    if wanted and observed.session_claim == "none" and not observed.job.deleting:
        body = records.session_claim(observed.job, policy)
        yield _of_content(
            "create", "claim", body["metadata"]["name"], "it holds the job's session", body
        )


def _of_content(
    verb: Verb,
    kind: Kind,
    name: str,
    why: str,
    body: naming.Manifest | None = None,
    subresource: Literal["", "status"] = "",
) -> Write:
    return Write(verb, kind, name, why, body, subresource, stage=Stage.CREATE, strand=CONTENT)


def _cron_job(
    situation: Situation, policy: RunPolicy, timing: Timing | None, now: datetime
) -> Iterable[Write]:
    observed, force = situation.observed, situation.force
    cron, gap = observed.cron_job, observed.gap
    if cron and (cron.deleting or not cron.belongs_to(observed.job.uid)):
        return
    if force.content is None:
        yield from _withdraw(observed, cron)
        return
    if observed.job.deleting or timing is None or (gap and (cron is None or not gap.lasts(now))):
        return
    held = timing.suspended or gap is not None or situation.obstacle is not None
    frozen_as = revisions.frozen(observed, force.content.digest)
    body = cronjob.cron_job(
        observed.job, force.content, policy, replace(timing, suspended=held), frozen_as
    )
    if cron:
        yield from _changed(observed, force.content, cron, body, now)
    elif not revisions.obstacle(observed, force):
        yield _of_content("create", "cronjob", observed.job.name, "the content is approved", body)


def _changed(
    observed: Observed, content: Content, cron: CronJobView, body: naming.Manifest, now: datetime
) -> Iterable[Write]:
    if body["spec"]["suspend"] and not cron.suspended:
        # A stop of its own, which depends on nothing; whatever else differs is written next.
        yield from _suspended(observed, cron, "nothing may start now")
        return
    wanted = spec_hash(body["spec"])
    owned = cron.labelled and cron.owner_uid == observed.job.uid
    same = cron.spec_hash in (wanted, observed.settled.get(wanted))
    if same and owned and cron.digest == content.digest:
        return
    as_read = {"uid": cron.uid, "resourceVersion": cron.resource_version}
    if would_fire_old_starts(cron, body["spec"]):
        mark = {"metadata": as_read, "status": {"lastScheduleTime": to_wire(now)}}
        yield _of_content("patch", "cronjob", cron.name, "old starts are skipped", mark, "status")
    body["metadata"] |= as_read
    yield _of_content("replace", "cronjob", cron.name, "it differs from the approved content", body)


def _suspended(observed: Observed, cron: CronJobView, why: str) -> Iterable[Write]:
    """Suspends the CronJob, unless `stops` already does, for a reason independent of contents."""
    if not stops.no_more_starts(observed):
        yield stops.suspend(cron, why)


def _withdraw(observed: Observed, cron: CronJobView | None) -> Iterable[Write]:
    """Suspends the CronJob when nothing may run, and deletes it when its last run is recorded.

    It does not do both at once: a start that the controller is just making would be deleted, too.
    """
    if cron is None:
        return
    if not cron.suspended:
        yield from _suspended(observed, cron, "nothing is approved")
    elif not any(job.owner_uid == cron.uid for job in observed.batch_jobs):
        why = "nothing is approved"
        yield Write(
            "delete",
            "cronjob",
            cron.name,
            why,
            uid=cron.uid,
            resource_version=cron.resource_version,
            expendable=True,
        )


def _next_look(observed: Observed, force: InForce, now: datetime) -> Iterable[float]:
    """Seconds until the next start of either content has passed: then the card is out of date."""
    for content in (force.current, force.content):
        if content:
            wanted = content.spec.schedule
            draw = draw_for(observed, wanted)
            for start in next_starts.next_starts(wanted, now, 1, draw):
                yield (start - now + NO_EARLIER_THAN).total_seconds()
