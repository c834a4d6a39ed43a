"""The starts of one job, as decisions about them see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.api.schedule import Schedule
from agentjobs.core import naming
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Write
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.windows import Draw
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.run import NEVER_BEGAN
from agentjobs.core.workload.cronjob import Timing

GRACE: Final = timedelta(seconds=10)
"""How long after its starting deadline a start is given up.

The CronJob controller may just be making it."""
AT_ONCE: Final = 1000
"""Starts accounted for in one decision."""


@dataclass(frozen=True, slots=True)
class StartPlan:
    """What is to be done about starts. `timing` None: leave the CronJob as it is for now."""

    start: datetime | None = None
    missed_since: str | None = None
    timing: Timing | None = None
    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class StartContext:
    """What all functions about the starts of one job share."""

    observed: Observed
    schedule: Schedule
    status: ScheduledAgentJobStatus
    now: datetime
    accounted: Mapping[datetime, bool]
    """As `accounted` returns it."""
    draw: Draw
    obstacle: str | None = None
    """Why the job cannot have its CronJob."""
    overlaps: bool = False
    """Whether a start does not wait for another run to finish."""

    def next_starts(self, after: datetime, count: int = 1) -> tuple[datetime, ...]:
        return _in_utc(next_starts.next_starts(self.schedule, after, count, self.draw))

    def passed(self, after: datetime) -> tuple[datetime, ...]:
        """The starts up to now, and the next one."""
        return _in_utc(next_starts.passed(self.schedule, after, self.now, self.draw, AT_ONCE))

    def name(self, start: datetime) -> str:
        return naming.run_of_start(self.observed.job.name, start)

    def given_up_at(self, start: datetime) -> datetime:
        """From when on a start that was not found is lost."""
        return next_starts.too_late(self.schedule, start) + GRACE

    def active_jobs(self) -> list[BatchJobView]:
        """The CronJob's Jobs that have not ended."""
        cron = self.observed.own_cron_job
        return [
            job
            for job in self.observed.batch_jobs
            if cron and job.owner_uid == cron.uid and not job.ended
        ]


def _in_utc(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    """The moments in UTC.

    Python never finds a time in an hour that comes twice equal to one of another zone (PEP 495).
    """
    return tuple(moment.astimezone(UTC) for moment in moments)


def draw_for(observed: Observed, wanted: Schedule) -> Draw:
    """What a window's draw depends on, for this job."""
    if wanted.window is None:
        return next_starts.NO_DRAW
    begun = [start for start, has_begun in accounted(observed).items() if has_begun]
    return Draw(observed.job.uid, max(begun, default=None))


def accounted(observed: Observed) -> dict[datetime, bool]:
    """The starts that have a Job or a run, and whether it began or is going to."""
    cron, job = observed.own_cron_job, observed.job.name
    names = {run.name: run.phase not in NEVER_BEGAN for run in observed.finished}
    names |= {run.name: run.skip is None for run in observed.runs}
    names |= {
        batch.name: True
        for batch in observed.batch_jobs
        if cron and batch.owner_uid == cron.uid and batch.name not in names
    }
    found = ((naming.start_of(name), name, begun) for name, begun in names.items())
    return {
        start: begun
        for start, name, begun in found
        if start and name == naming.run_of_start(job, start)
    }


def has_fired(observed: Observed, wanted: Schedule) -> bool:
    """Whether the single start of a schedule has become a run."""
    if wanted.once is None:
        return False
    start = next_starts.run_at(wanted.once, next_starts.zone_of(wanted))
    name, recent = naming.run_of_start(observed.job.name, start), observed.job.status.recent_runs
    in_history = any(line.name == name and line.phase not in NEVER_BEGAN for line in recent)
    return in_history or accounted(observed).get(start.astimezone(UTC), False)
