"""How a run ended, according to its runner, its pod and its Job.

The checks are tried in the order of CHECKS; the first that applies names phase, reason and message.
Where the runner and the container report different exit codes, the container's counts: a script
cannot write that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agentjobs.api.job_status import RunPhase
from agentjobs.api.run import AgentJobRunStatus, Usage
from agentjobs.core.runner.envelope import Envelope, ShortForm, read_short_form
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.installer import Resolution, read_installation
from agentjobs.core.timestamps import from_wire, to_wire
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import RunView

MAX_MESSAGE: Final = 1024
CLOCKS_DIFFER: Final = timedelta(seconds=2)
"""How far two clocks may differ: the API server's, and that of the Job's controller.

The first notes the pod's deletion, the second counts the time."""
KILLED: Final = 137
"""A runner that was asked to stop waits after its envelope, so that the log can be read.

A short grace period ends with SIGKILL."""

SESSION_BUSY: Final = "SessionBusy"
"""The runner's reason when another run has the session: this run did not happen."""
CANCELLED_IN_TIME: Final = "spec.cancel was set before the run began, so it did not start"
NEVER_RAN: Final = frozenset({"StartTimeout", "CancelledBeforeStart"})
"""Stop reasons that are given only to Jobs whose script has not run."""
STOPPED: Final[dict[str, tuple[RunPhase, str]]] = {
    "Denied": ("Cancelled", "the content was denied during the run"),
    "ApprovalRevoked": ("Cancelled", "the approval was withdrawn during the run"),
    "PackageDenied": ("Cancelled", "a package of the job was denied during the run"),
    "PackageRevoked": ("Cancelled", "the approval of a package was withdrawn during the run"),
    "CancelledByUser": ("Cancelled", "spec.cancel was set during the run"),
    "CancelledBeforeStart": ("Cancelled", CANCELLED_IN_TIME),
    "Replaced": ("Cancelled", "a newer run replaced it: the job's concurrencyPolicy is Replace"),
    "StartTimeout": ("Failed", "the pod did not start in time"),
}
"""Phase and message of a run by the stop reason, an annotation of a Job that we stopped."""
CANNOT_START: Final = "the pod cannot start: "
"""Begins the message of a run whose pod waits."""

GONE: Final = "the pod was gone before its log was read"
LIVE: Final = "stdout holds the end of the live log, with both streams mixed"
TAILS: Final = "stdout and stderr hold at most their last 1,000 bytes"
NOTHING: Final = "the record holds no output"
AGAIN: Final = "run the job again for the whole output"


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything known about a run that is over. `job` and `pod` are None when they are gone."""

    run: RunView
    job: BatchJobView | None
    pod: PodView | None
    evidence: Evidence
    installed: Resolution | None = None
    replaced: bool = False
    """Whether the CronJob controller deleted its Job for a newer start."""


Verdict = tuple[RunPhase, str, str]


def _out_of_memory(end: Ending) -> Verdict | None:
    if end.pod and end.pod.ended_by == "OOMKilled" and end.pod.exit_code != 0:
        message = "the script used more memory than spec.resources.limits.memory allows"
        return "Failed", "OOMKilled", message
    return None


def _container_differs(end: Ending) -> Verdict | None:
    envelope, pod = end.evidence.envelope, end.pod
    if envelope is None or pod is None or pod.exit_code in (None, envelope.exit_code):
        return None
    if envelope.outcome == "Terminated" and pod.exit_code == KILLED:
        return None
    text = (
        f"the container exited with code {pod.exit_code}, but its runner reported"
        f" {envelope.exit_code}; the container's code counts"
    )
    return ("Succeeded" if pod.exit_code == 0 else "Failed"), "ExitCodeMismatch", text


def _by_itself(end: Ending) -> Verdict | None:
    envelope = end.evidence.envelope
    if envelope is None or envelope.outcome == "Terminated":
        return None
    if envelope.outcome == "TimedOut":
        return "TimedOut", envelope.reason, envelope.message
    if envelope.outcome == "Refused" and envelope.reason == SESSION_BUSY:
        return "Skipped", envelope.reason, envelope.message
    return ("Succeeded" if envelope.exit_code == 0 else "Failed"), envelope.reason, envelope.message


def _stopped_by_us(end: Ending) -> Verdict | None:
    reason = end.job.stop_reason if end.job else None
    if reason is None:
        return None
    phase, text = STOPPED.get(reason, ("Cancelled", "the run was stopped"))
    if end.run.message and reason == "StartTimeout":
        text = f"{text}: {end.run.message.removeprefix(CANNOT_START)}"
    return phase, reason, text


def _past_due(end: Ending) -> bool:
    """Whether the Job's deadline ended the pod.

    Its controller deletes the pod first and says why afterwards, maybe after the envelope.

    The runner's times are by its node's clock, which may differ by any amount, so they are not used
    here.
    """
    envelope, due = end.evidence.envelope, end.job.due if end.job else None
    said = end.pod.told_to_end if end.pod else None
    stopped = envelope is not None and envelope.outcome == "Terminated"
    return stopped and due is not None and said is not None and said >= due - CLOCKS_DIFFER


def _deadline(end: Ending) -> Verdict | None:
    if end.job and (end.job.failure == "DeadlineExceeded" or _past_due(end)):
        message = "the Job's deadline passed; it includes the time before the pod started"
        return "TimedOut", "DeadlineExceeded", message
    return None


def _disrupted(end: Ending) -> Verdict | None:
    if end.pod and end.pod.disruption:
        message = f"the pod was ended from outside: {end.pod.disruption}; the run is not repeated"
        return "Failed", "Disrupted", message
    if end.pod and end.pod.phase == "Failed" and end.pod.ended_by == "Evicted":
        message = "the node evicted the pod to free memory or disk; see spec.resources"
        return "Failed", "Evicted", message
    return None


def _job_deleted(end: Ending) -> Verdict | None:
    if end.job is None or end.job.deleting:
        if end.replaced:
            phase, text = STOPPED["Replaced"]
            return phase, "Replaced", text
        return "Failed", "JobDeleted", "the Job of this run was deleted before the run ended"
    return None


def _install_failed(end: Ending) -> Verdict | None:
    """Whether the installer failed.

    Where the termination message is not the installer's, it had no time to write one.
    """
    pod = end.pod
    if pod is None or not pod.install_exit:
        return None
    said = read_installation(pod.install_message)
    if said is None:
        cause = f" ({pod.install_ended_by})" if pod.install_ended_by not in ("", "Error") else ""
        message = f"the installer of the packages exited with code {pod.install_exit}{cause}"
        return "Failed", "PackageInstallFailed", message
    return None if said.reason == "Terminated" else ("Failed", said.reason, said.message)


def _exit_code_alone(end: Ending) -> Verdict | None:
    if end.pod is None or end.pod.exit_code is None or end.evidence.envelope is not None:
        return None
    if end.pod.exit_code == 0:
        return "Succeeded", "Completed", "the script exited with code 0"
    message = f"the container exited with code {end.pod.exit_code}"
    return "Failed", end.pod.ended_by or "Error", message


def _pod_deleted(end: Ending) -> Verdict | None:
    if end.pod is None or end.pod.deletion:
        return "Failed", "PodDeleted", "the pod of this run was deleted before the run ended"
    return None


def _terminated(end: Ending) -> Verdict | None:
    envelope = end.evidence.envelope
    if envelope is None or envelope.outcome != "Terminated":
        return None
    message = (
        f"{envelope.message}, and nothing says by whom: perhaps the node shut down, or the"
        " script signalled its runner"
    )
    return "Failed", envelope.reason, message


def _unknown(end: Ending) -> Verdict:
    cause = (end.pod.ended_by if end.pod else "") or (end.job.failure if end.job else "")
    return (
        "Failed",
        "PodFailed",
        f"the pod failed: {cause}" if cause else "the pod failed, and nothing says why",
    )


CHECKS: Final = (
    # It names the cause, where runner and exit code show only its effect, a kill.
    _out_of_memory,
    # A script can forge an envelope, but not the container's exit code.
    _container_differs,
    # A run that had ended was ended by nothing from outside.
    _by_itself,
    # The most exact of the outside causes. Suspending the Job also deletes its pod.
    _stopped_by_us,
    # The Job's controller deletes the pod, which the checks below would take for the cause.
    _deadline,
    # It names what ended the pod. A missing Job or the exit code would say less.
    _disrupted,
    # The pod goes with its Job, so what the pod shows below is a consequence.
    _job_deleted,
    # The script never started, so no check below would name a better cause.
    _install_failed,
    # Without an envelope the exit code says how the script ended, also where the pod is deleted.
    _exit_code_alone,
    # Nothing says how the script ended. The deletion also explains an envelope with Terminated.
    _pod_deleted,
    # Last: the runner was asked to stop, and nothing above says by whom.
    _terminated,
)
"""In the order in which they are tried.

An entry stands before those that would take an effect of its cause for the cause."""


def record(end: Ending, digest: str | None, image: str, now: datetime) -> AgentJobRunStatus:
    """The complete record of a run that is over; `now` stands in where no end time is known."""
    verdicts = (check(end) for check in CHECKS)
    phase, reason, message = next(filter(None, verdicts), None) or _unknown(end)
    pod, envelope = end.pod, end.evidence.envelope
    stdout, stderr = _outputs(end)
    started, finished = _times(end, now)
    complete = envelope is not None or _never_started(end)
    if not complete:
        message = f"{message}; the output is incomplete: {_what_is_missing(end, phase)}"
    return AgentJobRunStatus(
        phase=phase,
        digest=digest,
        reason=reason,
        message=message[:MAX_MESSAGE],
        exit_code=_exit_code(end),
        started_at=started,
        finished_at=finished,
        stdout=stdout,
        stderr=stderr,
        stdout_dropped_bytes=envelope.stdout_dropped_bytes if envelope else None,
        stderr_dropped_bytes=envelope.stderr_dropped_bytes if envelope else None,
        output_bytes=len(stdout.encode()) + len(stderr.encode()),
        logs_complete=complete,
        pod_name=pod.name if pod else None,
        usage=_usage(end),
        failed_calls=said.failed_calls if (said := _said(end)) else None,
        resolved_packages=end.installed.resolved if end.installed else None,
        runner_image=(pod.image or image) if pod and pod.started is not None else None,
    )


def _exit_code(end: Ending) -> int | None:
    """The container's exit code, or the runner's where the container's is not known."""
    if end.pod and end.pod.exit_code is not None:
        return end.pod.exit_code
    return end.evidence.envelope.exit_code if end.evidence.envelope else None


def _never_started(end: Ending) -> bool:
    """Whether the script is known not to have started, so that no output is lost.

    Evicted pods can lack their containers.
    """
    if end.pod is not None:
        return end.pod.started is None and end.run.started is None
    return end.job is not None and end.job.stop_reason in NEVER_RAN and end.run.started is None


def _what_is_missing(end: Ending, phase: RunPhase) -> str:
    """Why the output is incomplete, what the record holds of it, and what to do."""
    live = LIVE if end.evidence.live else NOTHING
    kept = TAILS if _said(end) else live
    advice = () if phase == "Cancelled" else (AGAIN,)
    return "; ".join((end.evidence.problem or GONE, kept, *advice))


def _outputs(end: Ending) -> tuple[str, str]:
    """stdout and stderr.

    Without an envelope: the tails in the termination message; without those: the live log.
    """
    if end.evidence.envelope is not None:
        return end.evidence.envelope.stdout, end.evidence.envelope.stderr
    short = read_short_form(end.pod.termination_message) if end.pod else None
    if short is None and end.pod and end.pod.install_exit:
        said = read_installation(end.pod.install_message)
        return "", said.message if said else ""
    return (short.stdout_tail, short.stderr_tail) if short else (end.evidence.live, "")


def _usage(end: Ending) -> Usage | None:
    said = _said(end)
    if said is None or said.input_tokens is None or said.output_tokens is None:
        return None
    cost = None if said.cost_micro_usd is None else said.cost_micro_usd / 1e6
    return Usage(input_tokens=said.input_tokens, output_tokens=said.output_tokens, cost_usd=cost)


def _said(end: Ending) -> Envelope | ShortForm | None:
    """What the runner reported: the envelope, or its short form if the envelope is unreadable."""
    if end.evidence.envelope or end.pod is None:
        return end.evidence.envelope
    return read_short_form(end.pod.termination_message)


def _times(end: Ending, now: datetime) -> tuple[str | None, str]:
    """When it started and ended by its node's clock, moved into what is possible.

    That is not before its Job was made, and not after now.
    """
    started, finished = _started(end), _finished(end) or to_wire(now)
    begun, ended = from_wire(started or finished), from_wire(finished)
    early = end.job.created - begun if end.job else timedelta(0)
    moved = max(early, timedelta(0)) or min(now - ended, timedelta(0))
    return started and to_wire(begun + moved), to_wire(min(ended + moved, now))


def _started(end: Ending) -> str | None:
    if end.evidence.envelope and end.evidence.envelope.started_at:
        return to_wire(end.evidence.envelope.started_at)
    return (end.pod.started if end.pod else None) or end.run.started


def _finished(end: Ending) -> str | None:
    if end.evidence.envelope:
        return to_wire(end.evidence.envelope.finished_at)
    return end.pod.finished if end.pod else None
