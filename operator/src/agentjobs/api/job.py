"""`ScheduledAgentJob`: what a user asks for and what became of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from agentjobs.api import agent_rules, rules, schedule_rules, script_rules, variable_rules
from agentjobs.api.agent import Agent
from agentjobs.api.approval import Pins
from agentjobs.api.base import ApiModel, StatusModel, list_map
from agentjobs.api.event import MAX_TRIGGERS, JobTrigger
from agentjobs.api.package_rules import MAX_PACKAGES
from agentjobs.api.rules import MAX_SCRIPT_BYTES
from agentjobs.api.texts import LongText

MAX_TIMEOUT_SECONDS = 3540

ObjectName = Annotated[str, Field(min_length=1, max_length=253), rules.OBJECT_NAME]
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


Cron = Annotated[str, Field(min_length=1, max_length=256), *schedule_rules.CRON]
Clock = Annotated[str, Field(min_length=5, max_length=5), schedule_rules.CLOCK]


class Window(ApiModel):
    """One start on each day that `cron` picks, at a random minute.

    The minute is always the same for the same job and day.
    """

    between_fields = (schedule_rules.WINDOW_IS_OPEN,)

    cron: Annotated[Cron, schedule_rules.PICKS_DAYS] = Field(
        description=(
            'Picks the days: a cron whose time is "0 0", for example "0 0 * * 1-5" for Monday to'
            " Friday."
        )
    )
    start_time: Clock = Field(
        description="The first minute that may be drawn, such as 08:00, in schedule.timeZone."
    )
    end_time: Clock = Field(
        description=(
            "The end of the window, such as 10:00; this minute itself is never drawn. If endTime"
            " is before startTime, the window ends on the next day."
        )
    )


class Once(ApiModel):
    """A single start."""

    run_at: Annotated[str, Field(min_length=19, max_length=32), schedule_rules.RUN_AT] = Field(
        description=(
            "The time of the start, on a whole minute, such as 2026-12-01T09:00:00. It is a local"
            " time in schedule.timeZone, unless it has an offset or Z."
        )
    )


class Schedule(ApiModel):
    """When the job starts: by at most one of cron, window and once.

    Without any of them, only triggers and manual runs start it.
    """

    between_fields = schedule_rules.SCHEDULE

    cron: Cron | None = Field(
        None,
        description='Five cron fields in timeZone, such as "0 8 * * 1" for Mondays at 08:00.',
    )
    every_weeks: Annotated[int, Field(ge=2, le=52)] | None = Field(
        None,
        description=(
            "With a cron that names weekdays: the job starts only in every second (2), third (3),"
            " ... week, counted from the week of startDate."
        ),
    )
    start_date: Annotated[str, Field(min_length=10, max_length=10), schedule_rules.DATE] | None = (
        Field(
            None,
            description=(
                "With everyWeeks: a day of the first week, such as 2026-01-05; nothing starts"
                " before that day. Weeks begin on Monday."
            ),
        )
    )
    window: Window | None = Field(
        None, description="One start on each day that its cron picks, at a random minute."
    )
    once: Once | None = Field(None, description="A single start.")
    time_zone: Annotated[str, *schedule_rules.TIME_ZONE] = Field(
        "Etc/UTC",
        min_length=1,
        max_length=64,
        description="IANA time zone name, for example Europe/Bucharest.",
    )
    starting_deadline_seconds: int = Field(
        300,
        ge=10,
        le=86400,
        description=(
            "A start that is late by more than this many seconds is recorded as Missed and not made"
            " up for. In a window, the deadline is the end of the window."
        ),
    )


class Script(LongText):
    """A Python program, inline or in a ConfigMap.

    Its text is part of the digest: a changed script needs a new approval.
    """

    between_fields = script_rules.SCRIPT
    text_field = "inline"

    inline: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_SCRIPT_BYTES,
        description=(
            "The program's text: at most 256 KiB of UTF-8. Alternatively, set configMapKeyRef."
        ),
    )

    @staticmethod
    def text_problem(text: str) -> str | None:
        return script_rules.script_problem(text)


class SecretKeyRef(ApiModel):
    """A key of a Secret in the job's namespace. Its content is not part of the digest."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: Annotated[str, rules.SECRET_KEY] = Field(
        min_length=1, max_length=253, description="Key in the Secret."
    )


class EnvVarSource(ApiModel):
    """Where a variable's value comes from."""

    secret_key_ref: SecretKeyRef = Field(description="A key of a Secret in the job's namespace.")


class EnvVar(ApiModel):
    """One environment variable of the script: a value or a reference, not both."""

    between_fields = (rules.ONE_SOURCE, variable_rules.SEARCH_PATH_IS_SHOWN)

    name: Annotated[str, variable_rules.VARIABLE, variable_rules.NOT_RESERVED] = Field(
        min_length=1, max_length=128, description="Name of the variable."
    )
    value: Annotated[str, Field(max_length=32768)] | None = Field(
        None, description="The value as text. Do not put secrets here: use valueFrom."
    )
    value_from: EnvVarSource | None = Field(None, description="Take the value from a Secret.")


def _text(value: object) -> object:
    """`cpu: 1` means `cpu: "1"`, and has the same digest."""
    return str(value) if type(value) is int else value


_QUANTITY = Field(
    min_length=1, max_length=32, json_schema_extra={"x-kubernetes-int-or-string": True}
)
Cpu = Annotated[str, BeforeValidator(_text), _QUANTITY, rules.CPU]
Size = Annotated[str, BeforeValidator(_text), _QUANTITY, rules.SIZE]


class ResourceList(ApiModel):
    """Kubernetes quantities, for example `500m` and `256Mi`."""

    model_config = ConfigDict(alias_generator=None)

    cpu: Cpu | None = Field(None, description="CPU, for example 500m.")
    memory: Size | None = Field(None, description="Memory, for example 256Mi.")
    ephemeral_storage: Size | None = Field(
        None,
        alias="ephemeral-storage",
        description="Disk for /tmp, the home directory and logs, for example 1Gi.",
    )


class Resources(ApiModel):
    """Requests and limits of a run; fields that are left out get the operator's defaults."""

    between_fields = rules.RESOURCES

    requests: ResourceList = Field(ResourceList(), description="What the scheduler reserves.")
    limits: ResourceList = Field(ResourceList(), description="What a run may use at most.")


class Workspace(ApiModel):
    """The volume behind `/workspace`, the working directory.

    Without a volume, `/workspace` is empty at the start of every run.
    """

    claim_name: ObjectName = Field(description="A PersistentVolumeClaim in the job's namespace.")


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
    env: Annotated[tuple[EnvVar, ...], AfterValidator(rules.each_name_once)] = Field(
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


CardLine = Annotated[str, Field(max_length=512)]


class Card(StatusModel):
    """What an approver is shown: the content of the spec as it is now."""

    digest: str = Field(max_length=64, description="The digest to approve.")
    name: str = Field(max_length=253, description="Name of the job.")
    description: str = Field(
        max_length=4096,
        description="What the job is for; hidden and deceptive characters are shown by name.",
    )
    schedule: str = Field(max_length=512, description="The schedule in words, with its time zone.")
    next_starts: tuple[CardLine, ...] = Field(
        (), max_length=3, description="The next three starts. RFC 3339, in the job's time zone."
    )
    triggers: tuple[CardLine, ...] = Field(
        (),
        max_length=MAX_TRIGGERS,
        description="What starts the job besides its schedule, in words.",
    )
    session: str = Field(
        max_length=32, description="Whether a conversation goes on from run to run."
    )
    packages: tuple[CardLine, ...] = Field(
        (),
        max_length=MAX_PACKAGES,
        description=(
            "Packages, each with one of: in the runner image, approved, denied, needs approval."
        ),
    )
    variables: tuple[CardLine, ...] = Field(
        (), max_length=100, description="Names of the environment variables."
    )
    secrets: tuple[CardLine, ...] = Field(
        (), max_length=100, description="Secrets that the script can read, as name/key."
    )
    claims: tuple[CardLine, ...] = Field(
        (), max_length=10, description="PersistentVolumeClaims that runs can write to."
    )
    tools: tuple[CardLine, ...] = Field(
        (), max_length=10, description="Tools that the agent may use; bash runs any command."
    )
    model: str | None = Field(
        None, max_length=512, description="The model that runs use, as provider/model."
    )
    timeout_seconds: int = Field(description="The time limit of a run, in seconds.")
    changes: tuple[CardLine, ...] = Field(
        (),
        max_length=121,
        description=(
            "What waits for approval. Of the first content: all that other fields of the card do"
            " not show, including the script or the instructions. Of later content: what differs"
            " from the content in force, long texts as a diff. If lines are left out, the last one"
            " says so. Empty once the content is in force."
        ),
    )
    warnings: tuple[CardLine, ...] = Field(
        (),
        max_length=10,
        description=(
            "What keeps the job from doing what it says, such as a start in the past or a model"
            " that the installation lacks."
        ),
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
