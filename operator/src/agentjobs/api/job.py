"""The spec of a `ScheduledAgentJob`: what a user asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agentjobs.api import agent_rules, rules, variable_rules
from agentjobs.api.agent import Agent
from agentjobs.api.approval import Pins
from agentjobs.api.base import ApiModel, list_map
from agentjobs.api.container import EnvVar, Resources, Workspace
from agentjobs.api.event import MAX_TRIGGERS, JobTrigger
from agentjobs.api.package_rules import MAX_PACKAGES
from agentjobs.api.schedule import Schedule
from agentjobs.api.script import Script

MAX_TIMEOUT_SECONDS = 3540


class History(ApiModel):
    """Which records of finished runs are kept. Not part of the digest."""

    successful: int = Field(30, ge=1, le=1000, description="How many succeeded runs to keep.")
    failed: int = Field(
        50,
        ge=1,
        le=1000,
        description=(
            "How many failed, timed out and cancelled runs to keep, and how many skipped ones in"
            " addition."
        ),
    )
    outputs: int = Field(
        10,
        ge=1,
        le=1000,
        description=(
            "How many of the newest runs keep their whole output. The newest failed run keeps it,"
            " too; older runs keep only its end."
        ),
    )
    keep_after_delete: bool = Field(
        False, description="Whether records of finished runs stay when the job is deleted."
    )


class ScheduledAgentJobSpec(ApiModel):
    """What the user asks for. The approval covers everything except `suspend` and `history`."""

    between_fields = (agent_rules.ONE_PROGRAM, agent_rules.ONE_AT_A_TIME)

    description: Annotated[str, rules.READABLE] = Field(
        min_length=1,
        max_length=1024,
        description="What the job is for, in a sentence for approvers.",
    )
    schedule: Schedule = Field(Schedule(), description="When the job starts.")
    triggers: tuple[JobTrigger, ...] = Field(
        (),
        max_length=MAX_TRIGGERS,
        description="What starts the job besides its schedule and manual runs.",
    )
    session: Literal["Ephemeral", "Continuous"] = Field(
        "Ephemeral",
        description=(
            "Ephemeral: every run starts afresh. Continuous: the conversation with the model goes"
            " on from run to run."
        ),
    )
    script: Script | None = Field(
        None, description="The program that runs. Alternatively, set agent."
    )
    agent: Agent | None = Field(
        None, description="Instructions for a model. Alternatively, set script."
    )
    packages: Pins = Field(
        (),
        max_length=MAX_PACKAGES,
        description=(
            "Python packages that the script imports, each with its exact version, for example"
            ' "requests==2.32.3".'
        ),
    )
    env: Annotated[tuple[EnvVar, ...], AfterValidator(variable_rules.each_name_once)] = Field(
        (),
        max_length=100,
        description="Environment variables of the script.",
        json_schema_extra=list_map("name"),
    )
    resources: Resources = Field(Resources(), description="Requests and limits of a run.")
    workspace: Workspace | None = Field(None, description="The volume behind /workspace.")
    timeout_seconds: int = Field(
        MAX_TIMEOUT_SECONDS,
        ge=1,
        le=MAX_TIMEOUT_SECONDS,
        description=(
            "The time limit of a run, in seconds. A run that takes longer is ended; its output is"
            " kept."
        ),
    )
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] = Field(
        "Forbid",
        description=(
            "What happens to a start, whatever causes it, while another run is in progress. Forbid:"
            " it waits or is skipped. Allow: both run. Replace: the older run is cancelled. With"
            " session Continuous it must be Forbid."
        ),
    )
    pause_after_failures: int = Field(
        0,
        ge=0,
        le=1000,
        description=(
            "After this many failures in a row, the job pauses until somebody resumes it. 0: it"
            " never pauses."
        ),
    )
    suspend: bool = Field(
        False,
        description=(
            "Whether the job is paused: then only manual runs start it. A change needs no new"
            " approval."
        ),
    )
    history: History = Field(History(), description="Which records of finished runs are kept.")
