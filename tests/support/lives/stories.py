"""Every combination of what can come together in one job, and what is told of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from agentjobs.api.job_status import Condition, ScheduledAgentJobStatus
from agentjobs.core import naming
from agentjobs.core.admission import PATIENCE, Gap
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.content.digest import Content
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.approvals import ApprovalView
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.views.job import JobView, job_view
from agentjobs.core.views.run import FinishedRun, RunView
from agentjobs.present import rows
from tests.support import manifests as written
from tests.support.endings import RUNNING_POD
from tests.support.workload import POLICY, timed

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
CHANGES: Final = {
    "changed": {"cron": "30 9 * * 2"},
    "change denied": {"cron": "30 9 * * 2"},
    "script changed": None,
}
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
    """All that can be: without a CronJob there is no run, and after two failures a last run."""
    switches = (False, True)
    every = itertools.product(
        APPROVALS, SCHEDULES, TRIGGERS, switches, switches, OBSTACLES, RUNS, OUTCOMES
    )
    for life in itertools.starmap(Life, every):
        possible = life.run == "no run" or life.obstacle != "NameTaken"
        fits = (life.outcome == "Failed" or not life.failure_pause) and (
            life.outcome or life.schedule != "fired"
        )
        if possible and fits:
            yield life


@cache
def parsed(wanted: str, triggers: str, approval: str, *, suspended: bool) -> JobView:
    spec: dict[str, Any] = {
        "schedule": SCHEDULES[wanted],
        "triggers": TRIGGERS[triggers],
        "pauseAfterFailures": 2,
        "suspend": suspended,
    }
    if approval in CHANGES:
        spec |= (
            {"schedule": CHANGES[approval]}
            if CHANGES[approval]
            else {"script": {"inline": "print('new')\n"}}
        )
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
        f"a-{content.digest[:6]}",
        "report",
        content.digest,
        "Denied" if said == "Denied" else "Approved",
        "ana",
        to_wire(NOW),
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
        name = (
            f"report-{int(datetime.fromisoformat(DONE + 'Z').timestamp()) // 60}"
            if life.schedule == "fired"
            else "report-once"
        )
        line = {
            "name": name,
            "uid": "old",
            "phase": life.outcome,
            "reason": "ScriptFailed" if life.outcome == "Failed" else "Completed",
        }
        found |= {
            "lastRun": {key: line[key] for key in ("name", "uid", "phase")},
            "recentRuns": [line],
            "runCount": 1,
        }
    if life.outcome == "Failed":
        found |= {
            "failureCount": 2,
            "consecutiveFailures": 2 if life.failure_pause else 1,
            "lastError": "ScriptFailed: it failed",
        }
    if life.failure_pause:
        found["failurePause"] = {"since": to_wire(NOW - HOUR), "suspended": life.suspended}
    return found


def seen(life: Life) -> Observed:
    job = parsed(life.schedule, life.triggers, life.approval, suspended=life.suspended)
    job = replace(job, status=ScheduledAgentJobStatus.model_validate(status_of(life)))
    content = first_content(life.schedule, life.triggers)
    said = (
        [decision(content, "Denied" if life.approval == "denied" else "")]
        if life.approval not in ("pending", "invalid")
        else []
    )
    if life.approval == "change denied":
        said.append(decision(current_content(job), "Denied"))
    cron = own_cron_job(life.schedule, life.triggers)
    digest = content.digest
    found = Observed(
        job,
        approvals=tuple(said),
        previous=content if life.in_force and life.approval != "approved" else None,
        cron_job=replace(cron, owner_uid="other", labelled=False)
        if life.obstacle == "NameTaken"
        else cron,
        gap=Gap(("a policy is missing",), NOW - PATIENCE)
        if life.obstacle == "PolicyMissing"
        else None,
        revisions=frozenset({naming.revision_name("report", digest)}),
        finished=(
            FinishedRun("ns", "report-once", "old", "report", life.outcome, to_wire(NOW - HOUR), 0),
        )
        if life.outcome
        else (),
    )
    if life.run == "no run":
        return found
    return _running(life, found, digest)


def _running(life: Life, found: Observed, digest: str) -> Observed:
    """With a run, its Job and its pod."""
    name, begun = "report-now", NOW - timedelta(seconds=40)
    batch = BatchJobView(
        "ns", name, "report", "juid", "1", "cron", begun, False, True, digest, None, "", "", False
    )
    run = RunView(
        "ns",
        name,
        "ruid",
        "1",
        "report",
        True,
        True,
        begun,
        "Pending",
        None,
        None,
        None,
        started_as="juid",
    )
    pod = replace(RUNNING_POD, name="p", run=name, owner_uid="juid", started=to_wire(begun))
    if life.run != "running":
        waiting = "ContainerCreating" if life.run == "coming" else life.run
        pod = replace(
            pod,
            phase="Pending",
            running=False,
            started=None,
            waiting=waiting,
            waiting_message="as the cluster says",
        )
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
        return Condition.model_validate(
            next(each for each in self.status["conditions"] if each["type"] == kind)
        )

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
        observed = replace(
            observed,
            job=replace(observed.job, status=ScheduledAgentJobStatus.model_validate(whole)),
        )
        now += timedelta(seconds=5)


# The invariants, each a sentence.
