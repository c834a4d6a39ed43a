"""Kubernetes Events for the steps that people look for in `kubectl describe`.

Their names are deterministic: a step gets one Event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agentjobs.api import names
from agentjobs.api.job_status import Condition, ScheduledAgentJobStatus
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core import naming
from agentjobs.core.plan import Kind, Stage, Write, run_strand
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.job import JobView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload.taken import sentence

MAX_EVENT_MESSAGE = 1024
SCHEDULING = frozenset({"Scheduled", "Suspended", "PausedAfterFailures", "NeverDue"})
"""Reasons of the condition Scheduled that get an Event.

Its other reasons also appear in Approved and Ready."""
FOR_TOOLS = frozenset({"Stalled", "Reconciling"})
"""Conditions that repeat what Ready says."""
GOOD = frozenset({"Succeeded", "Skipped"})


def of_conditions(
    job: JobView, status: ScheduledAgentJobStatus, where: tuple[Stage, str], now: datetime
) -> Iterable[Write]:
    """Events for what changes from the job's status as read to the new one.

    They come before its write, after which the change is lost.

    `where`: stage and strand of that write.

    The name is derived from the old state, which is the same at a second try.
    """
    old = {condition.type: condition for condition in job.status.conditions}
    reported: set[str] = set()
    for condition in status.conditions:
        before = old.get(condition.type)
        # Ready repeats what Approved says until the job is approved.
        repeats = condition.type in FOR_TOOLS or condition.reason in reported
        if not repeats and _news(before, condition):
            reason, message = condition.reason, condition.message
            reported.add(reason)
            since = (before.reason, before.last_transition_time) if before else ()
            of_this = (condition.type, reason, str(status.observed_generation), *since, message)
            is_good = condition.status == "True" or reason == "Suspended"
            kind = "Normal" if is_good else "Warning"
            yield _event(job, where, kind, reason, message, "/".join(of_this), now)


def of_starts(job: JobView, writes: Iterable[Write], now: datetime) -> Iterable[Write]:
    """Events for runs that are triggered, each before the write that does it."""
    for write in writes:
        if write.kind == "run" and write.body and (trigger := _trigger(job, write, write.body)):
            about, message = f"{write.name}/{_asked(write)}/triggered", f"{write.name}: {trigger}"
            where = write.stage, write.strand
            yield _event(job, where, "Normal", "RunTriggered", message, about, now)


def _trigger(job: JobView, write: Write, body: Mapping[str, Any]) -> str:
    """Why a run is triggered; empty where it is not.

    A run that follows one of this job's is reported by its own job.
    """
    if write.verb == "create":
        return "started on schedule" if body["spec"]["jobName"] == job.name else ""
    started = names.STARTED_AS_ANNOTATION in body["metadata"].get("annotations", {})
    return "started on request" if started else ""


def _asked(write: Write) -> str:
    """The uid of a requested run, since its name can be used again; empty for a scheduled one.

    The name of a scheduled run holds its minute.
    """
    return str(write.body["metadata"].get("uid", "")) if write.body else ""


def of_taken(job: JobView, taken: Iterable[tuple[Kind, str]], now: datetime) -> Iterable[Write]:
    """Events for what could not be created, since something else had the name."""
    for kind, name in sorted(taken):
        message, about = sentence(kind, name), f"{kind}/{name}/taken"
        yield _event(job, (Stage.TELL, ""), "Warning", "NameTaken", message, about, now)


def of_runs(
    job: JobView, finished: Iterable[tuple[RunView, AgentJobRunStatus]], now: datetime
) -> Iterable[Write]:
    """Events for how runs ended, before the run's last write."""
    for run, record in finished:
        kind = "Normal" if record.phase in GOOD else "Warning"
        where = Stage.RECORD, run_strand(run.name)
        for each, reason, message, about in _reports(record, kind):
            named, which = f"{run.name}: {message}", f"{run.uid}/{about}"
            yield _event(job, where, each, reason, named, which, now)


def _reports(record: AgentJobRunStatus, kind: str) -> Iterable[tuple[str, str, str, str]]:
    """Yields each Event about a run that is over: type, reason, message and what sets it apart."""
    yield kind, f"Run{record.phase}", f"{record.reason}: {record.message}", record.phase
    if record.logs_complete is False:
        yield "Warning", "OutputIncomplete", f"{record.message}", "incomplete"
    if dropped := _dropped(record):
        message = f"the output exceeded the limit; not recorded: {dropped}"
        yield "Warning", "OutputTruncated", message, "truncated"


def _dropped(record: AgentJobRunStatus) -> str:
    counts = {"stdout": record.stdout_dropped_bytes, "stderr": record.stderr_dropped_bytes}
    return " and ".join(f"{count} bytes of {stream}" for stream, count in counts.items() if count)


def _news(before: Condition | None, after: Condition) -> bool:
    if after.type == "Scheduled":
        return after.reason in SCHEDULING and (before is None or before.reason != after.reason)
    if before is not None:
        return (before.status, before.reason) != (after.status, after.reason)
    return after.type == "Approved" or after.reason in ("InvalidSpec", "NameTaken")


def _event(
    job: JobView,
    where: tuple[Stage, str],
    kind: str,
    reason: str,
    message: str,
    about: str,
    now: datetime,
) -> Write:
    """`where`: stage and strand of the write that it comes before."""
    name = naming.kube_event_name(job, about)
    involved = {
        "apiVersion": names.API_VERSION,
        "kind": names.JOB_KIND,
        "name": job.name,
        "namespace": job.namespace,
        "uid": job.uid,
    }
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": job.namespace},
        "involvedObject": involved,
        "type": kind,
        "reason": reason,
        "message": message[:MAX_EVENT_MESSAGE],
        "firstTimestamp": to_wire(now),
        "lastTimestamp": to_wire(now),
        "count": 1,
        "source": {"component": "agentjobs"},
        "reportingComponent": "agentjobs.dev/operator",
        "reportingInstance": "agentjobs",
    }
    stage, strand = where
    return Write("create", "event", name, reason, body, expendable=True, stage=stage, strand=strand)
