"""Jobs that start after another job's runs: which, what their event holds, and where a chain ends.

The labels of a job's CronJob say after which jobs it starts, so the API server can be asked for
them. Their runs are created before the run that they follow gets its record: the record comes last,
so that a second attempt after a crash finds the same names.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from typing import Any, Final

from agentjobs.api import names
from agentjobs.api.event import MAX_ANCESTORS, Event
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.naming import runs_of_chain
from agentjobs.core.observed import Follower
from agentjobs.core.plan import Stage, Write, run_strand
from agentjobs.core.views.event import MAX_EVENT_BYTES, encoded
from agentjobs.core.views.job import JobView
from agentjobs.core.views.metadata import Body, controller_uid
from agentjobs.core.views.run import RunView

PREFIX: Final = f"after.{names.GROUP}/"
TYPE: Final = "dev.agentjobs.run."
OUTCOMES: Final = {"Succeeded": "Succeeded", "Failed": "Failed", "TimedOut": "Failed"}
"""What a trigger calls the phases that start something.

Nothing follows a cancelled run: somebody ended it on purpose."""


def labels(spec: ScheduledAgentJobSpec) -> dict[str, str]:
    """The labels of the job's CronJob: a key for each job that it starts after.

    The value says on which outcomes.
    """
    wanted: dict[str, set[str]] = {}
    for trigger in spec.triggers:
        if trigger.after:
            wanted.setdefault(trigger.after.job, set()).add(trigger.after.on)
    return {f"{PREFIX}{job}": ".".join(sorted(on)) for job, on in wanted.items()}


def follower(cron_job: Body, job: str) -> Follower | None:
    """The follower a CronJob with such a label stands for; None if the operator did not make it."""
    metadata = cron_job["metadata"]
    uid, on = controller_uid(cron_job), metadata["labels"].get(f"{PREFIX}{job}", "")
    owner = metadata["labels"].get(names.JOB_LABEL)
    if not uid or owner != metadata["name"]:
        return None
    return Follower(owner, uid, frozenset(on.split(".")))


def takes(spec: ScheduledAgentJobSpec, run: RunView) -> bool:
    """Whether the spec in force still starts after the job and outcome that this run follows."""
    outcome = (run.event.type if run.event else "").removeprefix(TYPE)
    wanted = {"Finished", *(name for phase, name in OUTCOMES.items() if phase.lower() == outcome)}
    upstream = [trigger.after for trigger in spec.triggers if trigger.after]
    return any(after.job == run.ancestors[-1] and after.on in wanted for after in upstream)


def starts(
    job: JobView,
    run: RunView,
    record: AgentJobRunStatus,
    followers: Iterable[Follower],
    taken: Container[str] = (),
) -> Iterable[Write]:
    """Creates the runs that follow one that is about to be recorded.

    `taken`: run names that something else has.
    """
    outcome = OUTCOMES.get(record.phase)
    wanted = [other for other in followers if outcome and other.on & {outcome, "Finished"}]
    if not wanted:
        return
    event = completion_event(job, run, record)
    for other in wanted:
        name = next(name for name in runs_of_chain(other.job, event) if name not in taken)
        body = _run(run, (*run.ancestors, job.name), other, event, name)
        write = Write("create", "run", name, f"it follows {run.name}", body, expendable=True)
        yield replace(write, stage=Stage.RECORD, strand=run_strand(run.name))


def _run(
    run: RunView, chain: tuple[str, ...], other: Follower, event: Event, name: str
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": run.namespace}
    metadata["labels"] = {names.JOB_LABEL: other.job, names.MANAGED_BY_LABEL: names.MANAGED_BY}
    if refused := _end_of(chain, other.job):
        owner = {
            "apiVersion": names.API_VERSION,
            "kind": names.JOB_KIND,
            "name": other.job,
            "uid": other.uid,
            "controller": True,
        }
        metadata["annotations"] = {names.SKIP_ANNOTATION: ": ".join(refused)}
        metadata["ownerReferences"] = [owner]
    trigger = {
        "type": "After",
        "event": event.wire(),
        "upstreamRun": run.name,
        "ancestors": list(chain[-MAX_ANCESTORS:]),
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": metadata,
        "spec": {"jobName": other.job, "trigger": trigger},
    }


def _end_of(chain: tuple[str, ...], job: str) -> tuple[str, str] | None:
    """Why a chain goes no further, as reason and sentence; None: it goes on."""
    way = " -> ".join((*chain, job))
    if job in chain:
        message = (
            f"{job} would start itself again: {way}; remove one of these jobs from the triggers"
            " of the others"
        )
        return "ChainCycle", message
    if len(chain) > MAX_ANCESTORS:
        message = (
            f"the chain {way} is too long: at most {MAX_ANCESTORS} jobs can come before the"
            " last one; give one of them a schedule instead"
        )
        return "ChainTooLong", message
    return None


def completion_event(job: JobView, run: RunView, record: AgentJobRunStatus) -> Event:
    """The next run's event: how this one ended, and its output, cut again where it does not fit."""
    data = {
        "job": job.name,
        "run": run.name,
        "phase": record.phase,
        "reason": record.reason,
        "exitCode": record.exit_code,
        "startedAt": record.started_at,
        "finishedAt": record.finished_at,
        "stdoutDroppedBytes": record.stdout_dropped_bytes or 0,
    }
    output = record.stdout or ""

    def with_output(kept: int) -> Event:
        return Event(
            id=run.uid,
            source=f"/namespaces/{job.namespace}/agentjobruns/{run.name}",
            type=f"{TYPE}{record.phase.lower()}",
            subject=job.name,
            time=record.finished_at,
            data={**data, "stdout": _cut(output, kept)},
        )

    low, high = 0, len(output)
    while low < high:
        middle = (low + high + 1) // 2
        if len(encoded(with_output(middle)).encode()) <= MAX_EVENT_BYTES:
            low = middle
        else:
            high = middle - 1
    return with_output(low)


def _cut(text: str, kept: int) -> str:
    """The beginning and the end of a text, `kept` characters in all."""
    if len(text) <= kept:
        return text
    head = kept // 2
    end = text[len(text) - (kept - head) :]
    return f"{text[:head]}\n[... {len(text) - kept} characters left out ...]\n{end}"
