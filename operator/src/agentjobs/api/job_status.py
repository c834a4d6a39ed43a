"""The status of a `ScheduledAgentJob`: what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentjobs.api.base import StatusModel, list_map
from agentjobs.api.card import Card

RunPhase = Literal[
    "Pending", "Running", "Succeeded", "Failed", "TimedOut", "Skipped", "Missed", "Cancelled"
]
JobPhase = Literal[
    "Invalid",
    "Denied",
    "PendingApproval",
    "Running",
    "Blocked",
    "Paused",
    "Triggered",
    "Failed",
    "Finished",
    "Scheduled",
    "Idle",
]
ApprovalState = Literal["Pending", "Approved", "Changed", "Denied"]


class Condition(StatusModel):
    """A Kubernetes condition; `reason` is a CamelCase constant and part of the API."""

    type: str = Field(
        max_length=64, description="What the condition is about, for example Approved."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds.")
    reason: str = Field(max_length=64, description="Why, as a CamelCase constant.")
    message: str = Field(max_length=4096, description="Why, as a sentence for people.")
    observed_generation: int | None = Field(
        None, description="The metadata.generation that the condition describes."
    )
    last_transition_time: str = Field(
        max_length=64, description="When `status` last changed. RFC 3339, UTC."
    )


class Approval(StatusModel):
    """Which content is in force."""

    state: ApprovalState = Field(
        description=(
            "Pending: nothing is approved, so nothing runs. Approved: the current spec runs."
            " Changed: an approved revision runs, and not the current spec. Denied: the current"
            " spec was denied, and nothing runs."
        )
    )
    digest: str | None = Field(None, max_length=64, description="The digest of what runs.")
    by: str | None = Field(None, max_length=512, description="Who approved it.")
    at: str | None = Field(None, max_length=64, description="When it was approved. RFC 3339, UTC.")


class LastRun(StatusModel):
    """A summary of the newest run; the AgentJobRun of this name holds the whole record."""

    name: str = Field(max_length=253, description="Name of the AgentJobRun.")
    uid: str = Field(max_length=64, description="Its metadata.uid.")
    phase: RunPhase = Field(description="How far it is, or how it ended.")
    exit_code: int | None = Field(None, description="The script's exit code.")
    stdout_tail: str | None = Field(
        None, max_length=2048, description="The end of stdout, up to 2 KiB."
    )
    stderr_tail: str | None = Field(
        None, max_length=2048, description="The end of stderr, up to 2 KiB."
    )


class RecentRun(StatusModel):
    """One line of history. A run whose uid is listed here has been counted."""

    name: str = Field(max_length=253, description="Name of the AgentJobRun.")
    uid: str = Field(max_length=64, description="Its metadata.uid.")
    phase: RunPhase = Field(description="How it ended.")
    reason: str | None = Field(None, max_length=64, description="Why, as a CamelCase constant.")
    exit_code: int | None = Field(None, description="The script's exit code.")
    started_at: str | None = Field(
        None, max_length=64, description="When the script started. RFC 3339, UTC."
    )
    finished_at: str | None = Field(
        None, max_length=64, description="When the run ended. RFC 3339, UTC."
    )


class FailurePause(StatusModel):
    """A pause after too many failures in a row."""

    since: str = Field(max_length=64, description="When the pause began. RFC 3339, UTC.")
    suspended: bool = Field(
        False,
        description=(
            "Whether spec.suspend was true during the pause: then setting it to false resumes the"
            " job."
        ),
    )


class ScheduledAgentJobStatus(StatusModel):
    """The state of the job. Only the operator writes it."""

    observed_generation: int | None = Field(
        None, description="The metadata.generation that this status describes."
    )
    phase: JobPhase | None = Field(None, description="The state of the job in one word.")
    reason: str | None = Field(
        None,
        max_length=64,
        description=(
            "Why the job is in this phase: a reason of a condition, a run or a pod. Empty if the"
            " phase itself says why."
        ),
    )
    conditions: tuple[Condition, ...] = Field(
        (),
        max_length=16,
        description=(
            "Approved, PackagesApproved, Scheduled and Ready, each with reason and message, and"
            " Stalled or Reconciling while they are true."
        ),
        json_schema_extra=list_map("type"),
    )
    card: Card | None = Field(
        None, description="What an approver is shown: the content of the spec as it is now."
    )
    approval: Approval | None = Field(None, description="Which content is in force.")
    schedule: str | None = Field(
        None,
        max_length=512,
        description=(
            "When the job starts, in words: the schedule of the content in force, or of the card if"
            " nothing is in force."
        ),
    )
    waiting: str | None = Field(
        None,
        max_length=512,
        description=(
            "The schedule, in words, of a change that waits for a decision, if it differs from"
            " `schedule`."
        ),
    )
    last_run_at: str | None = Field(
        None, max_length=64, description="When the newest run started. RFC 3339, UTC."
    )
    next_run_at: str | None = Field(
        None,
        max_length=64,
        description=(
            "The next scheduled start that is not a run yet. It is in the past while the start is"
            " late. Empty if there is none. RFC 3339, UTC."
        ),
    )
    missed_since: str | None = Field(
        None,
        max_length=64,
        description=(
            "The first scheduled start that was missed since a start last became a run; its record"
            " has the reason. Empty if the last start became a run. RFC 3339, UTC."
        ),
    )
    started_at: str | None = Field(
        None,
        max_length=64,
        description="When the run in progress started; empty if there is none. RFC 3339, UTC.",
    )
    last_error: str | None = Field(
        None,
        max_length=4096,
        description="What went wrong in the last run that failed; empty after a success.",
    )
    run_count: int = Field(0, description="How many runs have finished since the job was created.")
    success_count: int = Field(0, description="How many runs succeeded.")
    failure_count: int = Field(
        0, description="How many runs failed, timed out, or could not start."
    )
    consecutive_failures: int = Field(
        0, description="Failures since the last success, or since a pause after failures ended."
    )
    failure_pause: FailurePause | None = Field(
        None, description="Set while spec.pauseAfterFailures keeps the job paused."
    )
    last_run: LastRun | None = Field(None, description="A summary of the newest run.")
    recent_runs: tuple[RecentRun, ...] = Field(
        (), max_length=10, description="The last ten finished runs, newest first."
    )
