"""Everything that one job's reconcile knows, as values. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agentjobs.api.event import Event
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.admission import Gap
from agentjobs.core.content.digest import Content
from agentjobs.core.content.packages import PackageApprovalView, Packages, PackageVerdict
from agentjobs.core.content.sources import Sources
from agentjobs.core.errors import UserError
from agentjobs.core.plan import Kind, Write
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.installer import Resolution
from agentjobs.core.views.approvals import ApprovalView, RevisionView, Verdict
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import FinishedRun, RunView

Claim = Literal["none", "ours", "foreign"]


@dataclass(frozen=True, slots=True)
class Follower:
    """A job that starts after this one, and on which outcomes, as its CronJob says."""

    job: str
    uid: str
    on: frozenset[str]


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that one job's reconcile knows. Gathered by `operator.gather`, never changed."""

    job: JobView
    approvals: tuple[ApprovalView, ...] = ()
    alone: tuple[ApprovalView, ...] = ()
    """Approvals of the present content that do not count: a second person is missing."""
    packages: Packages = field(default_factory=Packages)
    packages_alone: tuple[PackageApprovalView, ...] = ()
    """As `alone`, of the packages."""
    cron_job: CronJobView | None = None
    settled: Mapping[str, str] = field(default_factory=dict)
    """By the hash of a CronJob spec as we wrote it: that of what the server stored, if another."""
    previous: Content | None = None
    """The content last in force, where it is not the spec's own and its revision still exists."""
    sources: Sources = field(default_factory=dict)
    """The texts that the spec refers to."""
    revisions: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    """The names that revisions of approved contents need, but foreign ConfigMaps have."""
    taken: frozenset[tuple[Kind, str]] = frozenset()
    """What was to be created while something else had the name."""
    session_claim: Claim = "none"
    """Whose the claim is that a continuous content needs for its session.

    Not looked up where no approved content needs one."""
    kept: tuple[RevisionView, ...] = ()
    """Every revision of the job that is known to exist."""
    left_over_since: Mapping[str, datetime] = field(default_factory=dict)
    """By the uids of revisions: since when nothing is known to need them."""
    left_behind: Mapping[str, str] = field(default_factory=dict)
    """By name: the uids of needed revisions that an earlier job of this name left behind."""
    resolutions: frozenset[str] = frozenset()
    """The revisions whose first resolution of packages is kept."""
    installed: Mapping[str, Resolution] = field(default_factory=dict)
    """By run: what its installer reported as installed, where that was read."""
    batch_jobs: tuple[BatchJobView, ...] = ()
    pods: tuple[PodView, ...] = ()
    runs: tuple[RunView, ...] = ()
    """The runs that are not finished."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """By run: what was read of the output of runs that are over or being ended."""
    events: Mapping[str, Event] = field(default_factory=dict)
    """By run: the events of runs that are about to start."""
    followers: tuple[Follower, ...] = ()
    """The jobs that start after this one. Looked up when a run of this one is over."""
    finished: tuple[FinishedRun, ...] = ()
    """The finished runs of this job."""
    over_budget: tuple[FinishedRun, ...] = ()
    """Finished runs of the namespace that the budgets have no room for."""
    shortened: tuple[Write, ...] = ()
    """Writes that shorten the records whose whole output is no longer kept.

    They are made when the record is read: bodies are not kept."""
    gap: Gap | None = None
    """The admission policies that are not in force."""
    refused: tuple[tuple[str, str], ...] = ()
    """What the cluster refuses again and again: reasons of the condition Ready, and sentences."""

    @property
    def own_cron_job(self) -> CronJobView | None:
        """The CronJob, where the operator made it for this job."""
        return self.cron_job if self.cron_job and self.cron_job.belongs_to(self.job.uid) else None


@dataclass(frozen=True, slots=True)
class InForce:
    """What an approval says about a job: its own content, what runs, and why."""

    current: Content | None
    content: Content | None
    """What runs; None: nothing may run."""
    problem: UserError | None
    """Why the spec as it is now has no content."""
    verdict: Verdict
    """The verdict on the spec as it is now."""
    lacking: Mapping[str, PackageVerdict] = field(default_factory=dict)
    """The packages of the present spec that may not be used, each Denied or Pending."""

    @property
    def denied(self) -> bool:
        """Whether the spec as it is now, or a package of it, was denied."""
        return self.verdict == "Denied" or "Denied" in self.lacking.values()

    @property
    def changed(self) -> bool:
        """Whether an approved content runs that is not the spec's own."""
        return self.content is not None and (
            self.current is None or self.content.digest != self.current.digest
        )

    @property
    def spec(self) -> ScheduledAgentJobSpec | None:
        """The spec of what runs."""
        return self.content.spec if self.content else None
