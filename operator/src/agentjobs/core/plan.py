"""What a reconcile sees and what it decides: values only."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, Literal

from agentjobs.api.event import Event
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.approval import ApprovalView, Content, RevisionView, Verdict
from agentjobs.core.errors import UserError
from agentjobs.core.guard import Gap
from agentjobs.core.outcome import Evidence
from agentjobs.core.packages import PackageApprovalView, Packages, PackageVerdict
from agentjobs.core.pods import PodView
from agentjobs.core.resolution import Resolution
from agentjobs.core.sources import Sources
from agentjobs.core.views import BatchJobView, CronJobView, FinishedRun, JobView, RunView

Kind = Literal["job", "run", "cronjob", "batchjob", "revision", "claim", "event", "lease"]
Claim = Literal["none", "ours", "foreign"]
Verb = Literal["create", "replace", "patch", "delete"]


class Stage(IntEnum):
    """What a write is for, in the order of a plan: what ends something comes before what begins it."""

    STOP = 0
    """A Job is stopped, a CronJob suspended."""
    RECORD = 1
    """What became of runs."""
    START = 2
    """What was decided about runs that wait."""
    CREATE = 3
    """What is approved comes into force."""
    TELL = 4
    """The job's answer to its author."""
    KEEP = 5
    """What is kept no longer goes."""


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes the cluster. Safe to repeat: names are deterministic and preconditions stand in the body.

    `uid` and `resource_version` are a delete's preconditions. `expendable`: an answer of 409 or 404 is as good as success.
    `strand`: after a failure the later writes of the same strand are left out; `needs`: so are
    those that need the strand. All others of the plan go on.
    """

    verb: Verb
    kind: Kind
    name: str
    why: str
    body: Mapping[str, Any] | None = None
    subresource: Literal["", "status"] = ""
    uid: str | None = None
    resource_version: str | None = None
    expendable: bool = False
    stage: Stage = Stage.KEEP
    strand: str = ""
    needs: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """What it does to what, for people and as a key."""
        return f"{self.verb} {self.kind} {self.name}"

    def held_back_by(self, failed: AbstractSet[str]) -> bool:
        """Whether it depends on one of these strands."""
        return bool(failed & {self.strand, *self.needs})


CONTENT: Final = "content"
"""The strand of what brings a content into force: a CronJob comes after its revision."""
STATUS: Final = "status"
"""The strand of the job's status, where it counts runs: their final phase comes after it."""
ANSWER: Final = "answer"
"""The strand of the job's status, where it only answers."""


def run_strand(run: str) -> str:
    """What is written about one run comes in its order, and waits for nothing of another."""
    return f"run/{run}"


@dataclass(frozen=True, slots=True)
class Follower:
    """A job that starts after this one, as far as its CronJob tells: on which outcomes."""

    job: str
    uid: str
    on: frozenset[str]


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that one job's reconcile knows. Gathered by `reconcile.observe`, never changed."""

    job: JobView
    approvals: tuple[ApprovalView, ...] = ()
    alone: tuple[ApprovalView, ...] = ()
    """Approvals of the present content that do not count: a second person is missing."""
    packages: Packages = field(default_factory=Packages)
    packages_alone: tuple[PackageApprovalView, ...] = ()
    """Of their approvals those that do not count for the present content: a second person is missing."""
    cron_job: CronJobView | None = None
    settled: Mapping[str, str] = field(default_factory=dict)
    """By the hash of a CronJob spec as we wrote it: the hash of what the server made of it, where that differs."""
    previous: Content | None = None
    """The content last in force, where it is not the spec's own and its revision still exists."""
    sources: Sources = field(default_factory=dict)
    """The texts that the spec refers to."""
    revisions: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    """Of the names that revisions of approved contents need: those that ConfigMaps of somebody else have."""
    taken: frozenset[tuple[Kind, str]] = frozenset()
    """What was to be created, and something else had the name."""
    session_claim: Claim = "none"
    """The claim that the session of a continuous content needs. Not looked at where no approved content has one."""
    kept: tuple[RevisionView, ...] = ()
    """Every revision of the job that is known to exist."""
    left_over_since: Mapping[str, datetime] = field(default_factory=dict)
    """By the uids of revisions: since when nothing is known to need them."""
    left_behind: Mapping[str, str] = field(default_factory=dict)
    """Of the wanted revisions those of an earlier job of this name that nobody owns, each with its uid."""
    resolutions: frozenset[str] = frozenset()
    """Of those revisions the ones whose first resolution of packages is kept."""
    installed: Mapping[str, Resolution] = field(default_factory=dict)
    """By run: what its installer said that it had installed, as far as it was read."""
    batch_jobs: tuple[BatchJobView, ...] = ()
    pods: tuple[PodView, ...] = ()
    runs: tuple[RunView, ...] = ()
    """Those that are not finished."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """By run: what was read of the output of those that are over, or are being ended."""
    events: Mapping[str, Event] = field(default_factory=dict)
    """By run: the events of those that are about to start."""
    followers: tuple[Follower, ...] = ()
    """The jobs that start after this one. Looked for when a run of it is over."""
    finished: tuple[FinishedRun, ...] = ()
    """The finished runs of this job."""
    over_budget: tuple[FinishedRun, ...] = ()
    """Finished runs of the namespace that the budgets have no room for."""
    shortened: tuple[Write, ...] = ()
    """What becomes of the records whose output is kept no longer: read and shortened, since nobody keeps bodies."""
    gap: Gap | None = None
    """The admission policies that are not in force."""
    refused: tuple[tuple[str, str], ...] = ()
    """What the cluster has refused again and again: reasons of the condition Ready, and sentences."""

    @property
    def own_cron_job(self) -> CronJobView | None:
        """The CronJob, where the operator made it for this very job."""
        return self.cron_job if self.cron_job and self.cron_job.belongs_to(self.job.uid) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, in this order, and when to look again even if nothing happens (seconds; None: at the next event)."""

    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None

    @property
    def may_start_something(self) -> bool:
        """Every write that could; some of these end something instead."""
        return any(write.kind in ("cronjob", "batchjob") and write.verb != "delete" for write in self.writes)


@dataclass(frozen=True, slots=True)
class Force:
    """What an approval says about a job: its own content, what runs, and why."""

    current: Content | None
    content: Content | None
    """What runs; None: nothing may."""
    problem: UserError | None
    """Why the spec as it is now has no content."""
    verdict: Verdict
    """On the spec as it is now."""
    lacking: Mapping[str, PackageVerdict] = field(default_factory=dict)
    """Its packages that may not be used, with Denied or Pending."""

    @property
    def denied(self) -> bool:
        """Somebody said no to the spec as it is now, or to a package of it."""
        return self.verdict == "Denied" or "Denied" in self.lacking.values()

    @property
    def changed(self) -> bool:
        """An approved content runs that is not the spec's own."""
        return self.content is not None and (self.current is None or self.content.digest != self.current.digest)

    @property
    def spec(self) -> ScheduledAgentJobSpec | None:
        """Of what runs."""
        return self.content.spec if self.content else None
