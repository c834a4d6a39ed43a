"""Phase, reason, columns, conditions and rows tell one story, whatever comes together: all combinations are walked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, get_args

from agentjobs.api.job import Condition, JobPhase, Schedule, ScheduledAgentJobStatus
from agentjobs.cli import cards, rows
from agentjobs.core import manifests, schedule
from agentjobs.core.approval import ApprovalView, Content
from agentjobs.core.decide import current_content, decide
from agentjobs.core.guard import PATIENCE, Gap
from agentjobs.core.plan import Observed
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views import BatchJobView, FinishedRun, JobView, RunView, cron_job_view, job_view
from agentjobs.core.windows import Draw
from agentjobs.core.words import of_job
from tests import manifests as written
from tests.unit.test_manifests import POLICY, timed
from tests.unit.test_outcome import RUNNING_POD

NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DONE: Final = "2026-11-20T08:00:00"
SCHEDULES: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "cron": {"cron": "0 8 * * 1"},
    "weeks": {"cron": "0 8 * * 1", "everyWeeks": 2, "startDate": "2026-01-05"},
    "window": {"window": {"cron": "0 0 * * *", "startTime": "10:00", "endTime": "11:00"}},
    "once": {"once": {"runAt": "2026-12-01T09:00:00"}},
    "past": {"once": {"runAt": DONE}},
    "fired": {"once": {"runAt": DONE}},
    "never": {"cron": "0 0 30 2 *"},
}
NO_START: Final = ("none", "past", "fired", "never")
CHANGES: Final = {"changed": {"cron": "30 9 * * 2"}, "change denied": {"cron": "30 9 * * 2"}, "script changed": None}
APPROVALS: Final = ("pending", "approved", "denied", "invalid", "approved, then invalid", *CHANGES)
TRIGGERS: Final[dict[str, list[dict[str, Any]]]] = {
    "no triggers": [],
    "events": [{"event": {"type": "a.b"}}],
    "a chain": [{"after": {"job": "other"}}],
}
WAITS: Final = ("ImagePullBackOff", "CreateContainerConfigError", "Unschedulable")
RUNS: Final = ("no run", "running", "coming", *WAITS)
OBSTACLES: Final = ("", "NameTaken", "PolicyMissing")
OUTCOMES: Final = ("", "Succeeded", "Failed", "Cancelled")


@dataclass(frozen=True)
class Life:
    """What comes together in one job."""

    approval: str
    schedule: str
    triggers: str
    suspended: bool
    failure_pause: bool
    obstacle: str
    run: str
    outcome: str

    @property
    def in_force(self) -> bool:
        return self.approval not in ("pending", "denied", "invalid")

    @property
    def stuck(self) -> bool:
        return self.run in WAITS and self.in_force

    @property
    def at_work(self) -> bool:
        """A container runs, or what should not run is being ended."""
        return self.run == "running" or (self.run in RUNS[2:] and not self.in_force)

    @property
    def invalid(self) -> bool:
        return "invalid" in self.approval


def lives() -> Iterator[Life]:
    """All of them that can be: who has no CronJob has no run, and who has failed twice has a last run."""
    switches = (False, True)
    every = itertools.product(APPROVALS, SCHEDULES, TRIGGERS, switches, switches, OBSTACLES, RUNS, OUTCOMES)
    for life in itertools.starmap(Life, every):
        possible = life.run == "no run" or life.obstacle != "NameTaken"
        fits = (life.outcome == "Failed" or not life.failure_pause) and (life.outcome or life.schedule != "fired")
        if possible and fits:
            yield life


@cache
def parsed(wanted: str, triggers: str, approval: str, *, suspended: bool) -> JobView:
    spec: dict[str, Any] = {"schedule": SCHEDULES[wanted], "triggers": TRIGGERS[triggers], "pauseAfterFailures": 2, "suspend": suspended}
    if approval in CHANGES:
        spec |= {"schedule": CHANGES[approval]} if CHANGES[approval] else {"script": {"inline": "print('new')\n"}}
    if "invalid" in approval:
        spec |= {"sidecar": {}}
    body = written.job("report", **spec)
    body["metadata"] |= {"namespace": "ns", "uid": "uid", "resourceVersion": "7", "generation": 3}
    return job_view(body)


@cache
def first_content(wanted: str, triggers: str) -> Content:
    """What was approved first."""
    return current_content(parsed(wanted, triggers, "approved", suspended=False))


def decision(content: Content, said: str = "Approved") -> ApprovalView:
    return ApprovalView(
        f"a-{content.digest[:6]}", "report", content.digest, "Denied" if said == "Denied" else "Approved", "ana", to_wire(NOW)
    )


@cache
def own_cron_job(wanted: str, triggers: str) -> Any:
    job = parsed(wanted, triggers, "approved", suspended=False)
    body = timed(job, first_content(wanted, triggers), POLICY)
    body["metadata"] |= {"uid": "cron", "resourceVersion": "9"}
    return cron_job_view(body)


def status_of(life: Life) -> dict[str, Any]:
    """The job's status so far."""
    found: dict[str, Any] = {}
    if life.outcome:
        name = f"report-{int(datetime.fromisoformat(DONE + 'Z').timestamp()) // 60}" if life.schedule == "fired" else "report-once"
        line = {"name": name, "uid": "old", "phase": life.outcome, "reason": "ScriptFailed" if life.outcome == "Failed" else "Completed"}
        found |= {"lastRun": {key: line[key] for key in ("name", "uid", "phase")}, "recentRuns": [line], "runCount": 1}
    if life.outcome == "Failed":
        found |= {"failureCount": 2, "consecutiveFailures": 2 if life.failure_pause else 1, "lastError": "ScriptFailed: it failed"}
    if life.failure_pause:
        found["failurePause"] = {"since": to_wire(NOW - HOUR), "suspended": life.suspended}
    return found


def seen(life: Life) -> Observed:
    job = parsed(life.schedule, life.triggers, life.approval, suspended=life.suspended)
    job = replace(job, status=ScheduledAgentJobStatus.model_validate(status_of(life)))
    content = first_content(life.schedule, life.triggers)
    said = [decision(content, "Denied" if life.approval == "denied" else "")] if life.approval not in ("pending", "invalid") else []
    if life.approval == "change denied":
        said.append(decision(current_content(job), "Denied"))
    cron = own_cron_job(life.schedule, life.triggers)
    digest = content.digest
    found = Observed(
        job,
        approvals=tuple(said),
        previous=content if life.in_force and life.approval != "approved" else None,
        cron_job=replace(cron, owner_uid="other", labelled=False) if life.obstacle == "NameTaken" else cron,
        gap=Gap(("a policy is missing",), NOW - PATIENCE) if life.obstacle == "PolicyMissing" else None,
        revisions=frozenset({manifests.revision_name("report", digest)}),
        finished=(FinishedRun("ns", "report-once", "old", "report", life.outcome, to_wire(NOW - HOUR), 0),) if life.outcome else (),
    )
    if life.run == "no run":
        return found
    name, begun = "report-now", NOW - timedelta(seconds=40)
    batch = BatchJobView("ns", name, "report", "juid", "1", "cron", begun, False, True, digest, None, "", "", False)
    run = RunView("ns", name, "ruid", "1", "report", True, True, begun, "Pending", None, None, None, started_as="juid")
    pod = replace(RUNNING_POD, name="p", run=name, owner_uid="juid", started=to_wire(begun))
    if life.run != "running":
        waiting = "ContainerCreating" if life.run == "coming" else life.run
        pod = replace(pod, phase="Pending", running=False, started=None, waiting=waiting, waiting_message="as the cluster says")
    return replace(found, batch_jobs=(batch,), runs=(run,), pods=(pod,))


@dataclass(frozen=True)
class Told:
    """What people see of a job."""

    life: Life
    status: dict[str, Any]
    content: Content
    row: dict[str, str]

    @property
    def phase(self) -> str:
        return str(self.status["phase"])

    @property
    def reason(self) -> str | None:
        return self.status.get("reason")

    @property
    def next(self) -> str | None:
        return self.status.get("nextRunAt")

    def condition(self, kind: str) -> Condition:
        return Condition.model_validate(next(each for each in self.status["conditions"] if each["type"] == kind))

    @property
    def kinds(self) -> set[str]:
        return {each["type"] for each in self.status["conditions"]}


def patched(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7386."""
    after = dict(before)
    for key, value in patch.items():
        after[key] = patched(after.get(key) or {}, value) if isinstance(value, dict) else value
    return {key: value for key, value in after.items() if value is not None}


def told(life: Life) -> Iterator[Told]:
    """At first, and when it is looked at again with the answer in the status."""
    observed, now = seen(life), NOW
    for _ in range(2):
        plan = decide(observed, POLICY, now)
        found = [dict(write.body or {})["status"] for write in plan.writes if write.kind == "job"]
        whole = patched(observed.job.status.wire(), found[0] if found else {})
        body = {"metadata": {"name": "report"}, "spec": {}, "status": whole}
        row: dict[str, str] = {column.title: column.value(body, now) for column in rows.JOBS}
        yield Told(life, whole, first_content(life.schedule, life.triggers), row)
        observed = replace(observed, job=replace(observed.job, status=ScheduledAgentJobStatus.model_validate(whole)))
        now += timedelta(seconds=5)


# The invariants, each a sentence.


def the_phase_is_one_of_the_contract(it: Told) -> bool:
    return it.phase in get_args(JobPhase)


def running_means_that_a_container_runs_or_is_being_ended(it: Told) -> bool:
    return (it.phase == "Running") == it.life.at_work


def a_pod_that_cannot_start_is_called_blocked_and_says_why(it: Told) -> bool:
    return not it.life.stuck or (it.phase, it.reason, "startedAt" in it.status) == ("Blocked", it.life.run, False)


def a_name_that_is_taken_and_a_missing_policy_block_whatever_else_is_true(it: Told) -> bool:
    shown = it.life.in_force and it.life.obstacle and it.life.run in ("no run", "coming")
    return not shown or (it.phase, it.reason, it.condition("Ready").status) == ("Blocked", it.life.obstacle, "False")


def scheduled_means_that_a_start_comes_and_when(it: Told) -> bool:
    return it.phase != "Scheduled" or (bool(it.next) and it.condition("Scheduled").status == "True")


def the_condition_scheduled_and_the_next_start_agree_unless_something_blocks(it: Told) -> bool:
    scheduled = it.condition("Scheduled")
    return scheduled.reason in ("NameTaken", "PolicyMissing") or (scheduled.status == "True") == bool(it.next)


def where_nothing_is_approved_nothing_is_next(it: Told) -> bool:
    return it.life.in_force or (not it.next and it.condition("Scheduled").reason == "NotApproved")


def what_never_comes_is_not_promised_and_the_row_says_never(it: Told) -> bool:
    if not it.life.in_force or it.life.schedule not in NO_START:
        return True
    quiet = not (it.life.suspended or it.life.failure_pause or it.life.obstacle)
    never = {"never": "never", "past": "never", "fired": "never", "none": "-"}[it.life.schedule]
    return not it.next and it.phase != "Scheduled" and (not quiet or it.row["NEXT RUN"] == never)


def a_start_that_has_happened_is_not_called_missed(it: Told) -> bool:
    scheduled = it.condition("Scheduled")
    return scheduled.reason != "Past" or ("has happened" in scheduled.message) == (it.life.schedule == "fired")


def a_pause_after_failures_is_not_blamed_on_suspend(it: Told) -> bool:
    if not (it.life.in_force and it.life.failure_pause) or it.life.approval == "approved, then invalid":
        return True
    scheduled = it.condition("Scheduled")
    blames = "which is true as well" in scheduled.message
    return scheduled.reason == "PausedAfterFailures" and blames == it.life.suspended and it.reason != "Suspended"


def a_paused_job_says_by_what(it: Told) -> bool:
    held = it.life.suspended or it.life.failure_pause
    return it.phase != "Paused" or (held and not it.next and it.reason in ("Suspended", "PausedAfterFailures"))


def an_invalid_spec_is_not_called_scheduled_or_finished(it: Told) -> bool:
    quiet = it.life.invalid and not it.life.at_work
    return not quiet or (it.phase in ("Invalid", "Paused", "Blocked") and it.condition("Ready").status == "False")


def invalid_denied_and_pending_are_never_ready(it: Told) -> bool:
    return it.phase not in ("Invalid", "Denied", "PendingApproval", "Blocked") or it.life.stuck or it.condition("Ready").status == "False"


def whatever_is_not_ready_for_want_of_a_decision_names_it(it: Told) -> bool:
    wanted = it.condition("Approved").reason
    return it.phase not in ("Denied", "PendingApproval") or (it.reason or it.phase) == wanted


def schedule_and_next_start_are_of_the_content_that_runs(it: Told) -> bool:
    if not it.life.in_force:
        return it.status.get("schedule") == (it.status["card"]["schedule"] if "card" in it.status else None)
    wanted = it.content.spec.schedule
    return it.status["schedule"] == of_job(it.content.spec) and (not it.next or _is_start(wanted, it.next))


def _is_start(wanted: Schedule, told_start: str) -> bool:
    start = datetime.fromisoformat(told_start)
    draw = Draw("uid") if wanted.window else schedule.NO_DRAW
    return start in schedule.next_starts(wanted, start - timedelta(minutes=1), 1, draw)


def a_change_that_waits_is_named_and_one_that_was_denied_does_not_wait(it: Told) -> bool:
    waiting = it.status.get("waiting")
    if it.life.approval != "changed":
        return waiting is None and "change waits:" not in it.row["SCHEDULE"]
    return waiting == it.status["card"]["schedule"] and it.row["SCHEDULE"] == f"{it.status['schedule']}; change waits: {waiting}"


def the_card_says_which_schedule_goes_on_and_which_waits(it: Told) -> bool:
    body = {"metadata": {"name": "report"}, "status": it.status}
    lines = list(cards.lines(body, colour=False))
    changed = it.status["approval"]["state"] == "Changed"
    return any(line.startswith(f"  In force   {it.status['schedule']}") for line in lines) == changed if "schedule" in it.status else True


def the_approval_of_the_row_waits_only_where_somebody_can_decide(it: Told) -> bool:
    body = {"status": it.status}
    return ("waits" in it.row["APPROVAL"]) == rows.waits(body)


def what_something_triggers_is_not_for_people_only(it: Told) -> bool:
    texts = (it.status.get("schedule", ""), it.status.get("card", {}).get("schedule", ""), it.condition("Scheduled").message)
    return it.life.triggers == "no triggers" or not any("manual runs only" in text or "create an AgentJobRun" in text for text in texts)


def a_card_warns_of_what_never_comes(it: Told) -> bool:
    if "card" not in it.status:
        return True
    warned = any("will not start by itself" in line for line in it.status["card"].get("warnings", ()))
    of_first = it.life.approval not in ("changed", "change denied")
    return warned == (of_first and it.life.schedule in ("past", "fired", "never"))


def failed_and_finished_tell_of_the_last_run(it: Told) -> bool:
    last = it.status.get("lastRun", {}).get("phase")
    failed = last == "Failed" and it.reason == "ScriptFailed"
    return (it.phase != "Failed" or failed) and (it.phase != "Finished" or last == "Succeeded")


def the_row_begins_with_the_phase_and_says_what_is_wrong(it: Told) -> bool:
    word = rows.STATUS[it.phase]
    said = it.row["STATUS"]
    return said == word or (said == f"{word}: {it.reason}" and it.phase in ("Blocked", "Paused", "Idle", "Finished", "Invalid"))


def stalled_means_that_somebody_has_to_do_something(it: Told) -> bool:
    stalled = it.life.obstacle or it.life.invalid or "denied" in it.life.approval
    return ("Stalled" in it.kinds) == bool(stalled)


INVARIANTS: Final = [
    the_phase_is_one_of_the_contract,
    running_means_that_a_container_runs_or_is_being_ended,
    a_pod_that_cannot_start_is_called_blocked_and_says_why,
    a_name_that_is_taken_and_a_missing_policy_block_whatever_else_is_true,
    scheduled_means_that_a_start_comes_and_when,
    the_condition_scheduled_and_the_next_start_agree_unless_something_blocks,
    where_nothing_is_approved_nothing_is_next,
    what_never_comes_is_not_promised_and_the_row_says_never,
    a_start_that_has_happened_is_not_called_missed,
    a_pause_after_failures_is_not_blamed_on_suspend,
    a_paused_job_says_by_what,
    an_invalid_spec_is_not_called_scheduled_or_finished,
    invalid_denied_and_pending_are_never_ready,
    whatever_is_not_ready_for_want_of_a_decision_names_it,
    schedule_and_next_start_are_of_the_content_that_runs,
    a_change_that_waits_is_named_and_one_that_was_denied_does_not_wait,
    the_card_says_which_schedule_goes_on_and_which_waits,
    the_approval_of_the_row_waits_only_where_somebody_can_decide,
    what_something_triggers_is_not_for_people_only,
    a_card_warns_of_what_never_comes,
    failed_and_finished_tell_of_the_last_run,
    the_row_begins_with_the_phase_and_says_what_is_wrong,
    stalled_means_that_somebody_has_to_do_something,
]


def contradictions(some: Iterator[Life]) -> dict[str, Any]:
    """The first life with which each sentence is not true."""
    broken: dict[str, Any] = {}
    for life in some:
        for it in told(life):
            for holds in INVARIANTS:
                if holds.__name__ not in broken and not holds(it):
                    broken[holds.__name__] = (life, it.status, it.row)
    return broken


def test_all_that_is_told_of_a_job_is_one_story() -> None:
    """One life in thirteen; tests/model walks through all of them."""
    assert contradictions(itertools.islice(lives(), 0, None, 13)) == {}
