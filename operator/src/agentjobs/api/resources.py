"""The four kinds: their names, what `kubectl get` shows of them, what they can be selected by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agentjobs.api import names, rules, trigger_rules
from agentjobs.api.approval import AgentJobApprovalSpec, PackageApprovalSpec
from agentjobs.api.base import ApiModel
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.api.rule import Rule
from agentjobs.api.run import AgentJobRunSpec, AgentJobRunStatus


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; a wide one shows with `-o wide` only.

    Times are strings: `date` would call a future one invalid.
    """

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind and its CRD, with the models of its spec and status."""

    kind: str
    plural: str
    short: str
    description: str
    spec: type[ApiModel]
    status: type[ApiModel] | None
    columns: tuple[Column, ...]
    selectable: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    always_has_status: bool = False
    """Whether an object reads as if its status had been written, with its fields' defaults."""

    def problem(self, body: Mapping[str, Any]) -> str | None:
        """The sentence of the first rule about the whole object that a body from the API breaks.

        Its spec must be valid.
        """
        return next((problem for rule in self.rules if (problem := rule.problem(body))), None)


AGE: Final = Column(
    "Age", ".metadata.creationTimestamp", "The time since the object was created.", "date"
)

JOB: Final = Resource(
    kind=names.JOB_KIND,
    plural=names.JOBS,
    short="saj",
    description=(
        "A job that a person or an agent writes, a person approves once, and Kubernetes then runs"
        " on its schedule."
    ),
    spec=ScheduledAgentJobSpec,
    status=ScheduledAgentJobStatus,
    columns=(
        Column("Phase", ".status.phase", "The state of the job in one word."),
        Column("Approval", ".status.approval.state", "Whether the current spec may run."),
        Column(
            "Schedule",
            ".status.schedule",
            "When the job starts, in words: by the content in force, or by the card.",
        ),
        Column("Next", ".status.nextRunAt", "The next scheduled start."),
        Column("Last Run", ".status.lastRunAt", "When the newest run started."),
        Column("Runs", ".status.runCount", "How many runs have finished.", "integer"),
        Column("Failed", ".status.failureCount", "How many runs failed.", "integer"),
        Column("Reason", ".status.reason", "Why the job is in this phase."),
        AGE,
        Column(
            "Waiting",
            ".status.waiting",
            "The schedule of a change that waits for a decision.",
            wide=True,
        ),
        Column(
            "Digest", ".status.card.digest", "The digest that an approval must name.", wide=True
        ),
        Column(
            "Last Error",
            ".status.lastError",
            "What went wrong in the last run that failed.",
            wide=True,
        ),
    ),
    selectable=(".status.phase", ".status.approval.state"),
    rules=(rules.JOB_IS_NAMED, trigger_rules.FOLLOWS_OTHERS),
)

# The operator reads finished runs as a table and takes the columns Job, Phase, Finished, Output
# Bytes and Stored Bytes by these names.
RUN: Final = Resource(
    kind=names.RUN_KIND,
    plural=names.RUNS,
    short="ajr",
    description=(
        "One run of a ScheduledAgentJob, with its output once it has ended. Creating one starts the"
        " job by hand."
    ),
    spec=AgentJobRunSpec,
    status=AgentJobRunStatus,
    columns=(
        Column("Job", ".spec.jobName", "The job."),
        Column("Phase", ".status.phase", "How far the run is, or how it ended."),
        Column("Reason", ".status.reason", "Why the run ended this way."),
        Column("Exit Code", ".status.exitCode", "The script's exit code.", "integer"),
        Column("Trigger", ".spec.trigger.type", "What started the run."),
        Column("Started", ".status.startedAt", "When the script started."),
        Column("Finished", ".status.finishedAt", "When the script ended."),
        AGE,
        Column(
            "Output Bytes",
            ".status.outputBytes",
            "Size of the stored output.",
            "integer",
            wide=True,
        ),
        Column(
            "Stored Bytes", ".status.storedBytes", "Size of the whole record.", "integer", wide=True
        ),
        Column("Message", ".status.message", "What happened, as a sentence.", wide=True),
        Column(
            "Logs Complete",
            ".status.logsComplete",
            "Whether the record has all output that it should have.",
            "boolean",
            wide=True,
        ),
    ),
    selectable=(".spec.jobName", ".status.phase"),
    rules=(rules.RUN_IS_NAMED, trigger_rules.RUN_NAME_IS_FREE, trigger_rules.RUN_NAME_IS_ITS_START),
    always_has_status=True,
)

APPROVAL: Final = Resource(
    kind=names.APPROVAL_KIND,
    plural=names.APPROVALS,
    short="aja",
    description="A person's decision on exactly one content of a ScheduledAgentJob.",
    spec=AgentJobApprovalSpec,
    status=None,
    columns=(
        Column("Job", ".spec.jobName", "The job."),
        Column("Decision", ".spec.decision", "Approved or Denied."),
        Column("Digest", ".spec.digest", "The digest of the content."),
        Column("By", ".spec.approvedBy", "Who decided."),
        AGE,
    ),
    selectable=(".spec.jobName",),
)

PACKAGE_APPROVAL: Final = Resource(
    kind=names.PACKAGE_APPROVAL_KIND,
    plural=names.PACKAGE_APPROVALS,
    short="pka",
    description=(
        "A person's decision on exact versions of Python packages, for all jobs of the namespace."
    ),
    spec=PackageApprovalSpec,
    status=None,
    columns=(
        Column("Packages", ".spec.packages", "The packages that the decision is about."),
        Column("Decision", ".spec.decision", "Approved or Denied."),
        Column("By", ".spec.approvedBy", "Who decided."),
        AGE,
        Column("Reason", ".spec.reason", "The reason for the decision.", wide=True),
    ),
    selectable=(".spec.decision",),
)

RESOURCES: Final = (JOB, RUN, APPROVAL, PACKAGE_APPROVAL)
