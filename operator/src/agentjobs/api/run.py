"""`AgentJobRun`: one execution. Creating one is the manual trigger."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentjobs.api import rules, trigger_rules
from agentjobs.api.base import ApiModel, StatusModel
from agentjobs.api.event import MAX_ANCESTORS, Event
from agentjobs.api.job_status import RunPhase
from agentjobs.api.names import MAX_JOB_NAME

STORED_OUTPUT_CHARACTERS = 4 * 51_200 + 64
"""A stream keeps 51,200 bytes, and one line says what was dropped.

Each invalid byte becomes the four characters \\xNN."""


_BY = (
    "Who started the run: the user name that the API server knows. If you leave it out, the server"
    " fills it in; another person's name is refused."
)


Ancestor = Annotated[str, Field(max_length=MAX_JOB_NAME)]
ResolvedPackage = Annotated[str, Field(max_length=256)]


class Trigger(ApiModel):
    """Why the run started."""

    between_fields = (
        trigger_rules.START_IS_KNOWN,
        trigger_rules.EVENT_IS_THERE,
        trigger_rules.CHAIN_IS_THERE,
    )

    type: Literal["Schedule", "Manual", "Event", "After"] = Field(
        "Manual",
        description=(
            "Manual, or Event for a run that an event starts. Only the operator writes Schedule and"
            " After."
        ),
    )
    by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(None, description=_BY)
    scheduled_at: Annotated[str, Field(max_length=64), trigger_rules.TIMESTAMP] | None = Field(
        None, description="The start as the schedule names it. RFC 3339, UTC."
    )
    event: Event | None = Field(
        None,
        description=(
            "The event. The run must then be named after the job and the event: the job's name, -e"
            " and the first 9 hex digits of the SHA-256 of source, newline, id."
        ),
    )
    upstream_run: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="The run that this one follows."
    )
    ancestors: Annotated[tuple[Ancestor, ...], Field(max_length=MAX_ANCESTORS)] | None = Field(
        None, description="The jobs that come before this one in the chain, first to last."
    )


class AgentJobRunSpec(ApiModel):
    """Which job runs and why. `jobName` alone is enough."""

    between_fields = (trigger_rules.RUN_IS_FIXED,)

    job_name: Annotated[str, rules.JOB_NAME] = Field(
        min_length=1,
        max_length=MAX_JOB_NAME,
        description="The ScheduledAgentJob to run, in the same namespace.",
    )
    trigger: Trigger = Field(Trigger(), description="Why the run starts.")
    cancel: bool = Field(
        False,
        description=(
            "true ends the run and keeps its output; a run that has not begun does not start. This"
            " cannot be undone."
        ),
    )


class Usage(StatusModel):
    """What the run's calls of models used, as they reported it."""

    input_tokens: int = Field(
        description="Tokens sent, including those that the provider had cached."
    )
    output_tokens: int = Field(description="Tokens received.")
    cost_usd: float | None = Field(
        None,
        alias="costUSD",
        description=(
            "The cost in US dollars by the installation's prices; empty if a model has no price."
        ),
    )


class AgentJobRunStatus(StatusModel):
    """The record of the run. Only the operator writes it."""

    phase: RunPhase = Field("Pending", description="How far the run is, or how it ended.")
    digest: str | None = Field(None, max_length=64, description="The approved content that ran.")
    reason: str | None = Field(
        None, max_length=64, description="Why the run is in this phase, as a CamelCase constant."
    )
    message: str | None = Field(
        None, max_length=4096, description="Why the run is in this phase, as a sentence for people."
    )
    exit_code: int | None = Field(
        None,
        description="The script's exit code; 128 plus the signal's number if a signal ended it.",
    )
    started_at: str | None = Field(
        None, max_length=64, description="When the script started. RFC 3339, UTC."
    )
    finished_at: str | None = Field(
        None, max_length=64, description="When the run ended. RFC 3339, UTC."
    )
    stdout: str | None = Field(
        None,
        max_length=STORED_OUTPUT_CHARACTERS,
        description="Standard output; of more than 51,200 bytes the first and the last 25,600.",
    )
    stderr: str | None = Field(
        None,
        max_length=STORED_OUTPUT_CHARACTERS,
        description="Standard error; of more than 51,200 bytes the first and the last 25,600.",
    )
    stdout_dropped_bytes: int | None = Field(
        None, description="Bytes of stdout that are not in the record."
    )
    stderr_dropped_bytes: int | None = Field(
        None, description="Bytes of stderr that are not in the record."
    )
    output_bytes: int | None = Field(None, description="Size of stdout and stderr as stored.")
    stored_bytes: int | None = Field(
        None,
        description=(
            "Size of the whole record as JSON, including its event and the list of what was"
            " installed. It counts against the budgets."
        ),
    )
    output_trimmed: bool | None = Field(
        None,
        description=(
            "true: newer runs followed, and only the end of the output is left; the dropped bytes"
            " include what was removed."
        ),
    )
    logs_complete: bool | None = Field(
        None,
        description="false: output is missing that should be here; the message says why.",
    )
    pod_name: str | None = Field(None, max_length=253, description="The pod of the run.")
    usage: Usage | None = Field(None, description="Tokens and cost; empty if no model was called.")
    failed_calls: int | None = Field(
        None, description="How many calls of pi by the script failed; empty if none did."
    )
    resolved_packages: tuple[ResolvedPackage, ...] | None = Field(
        None,
        max_length=500,
        description=(
            "Packages that were installed for this run, including dependencies, as name==version."
        ),
    )
    runner_image: str | None = Field(
        None, max_length=1024, description="The image that the run used, as the node names it."
    )
