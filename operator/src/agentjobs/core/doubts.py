"""Decides if what is known can be trusted enough to act, and what to ask the API server if not.

Watch streams are always a little late, and a second leader may act meanwhile. Before something is
refused, stopped, taken away or given up because the caches lack something, the API server is asked
for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agentjobs.core.approval import obstacles, revisions
from agentjobs.core.approval.decisions import verdict
from agentjobs.core.approval.in_force import in_force, is_suspended
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.runs.cases import Case, begun, cases, has_ended
from agentjobs.core.schedules import accounting

Subject = Literal["approvals", "packages", "texts", "run", "batchjob", "batchjobs", "pods"]


@dataclass(frozen=True, slots=True)
class Look:
    """One question to the API server.

    `name`: the run or the Job that it is about, if any. `why` does not distinguish questions.
    """

    subject: Subject
    name: str = ""
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """What was observed, and what follows: what is in force, known of each run, or in the way."""

    observed: Observed
    force: InForce
    cases: tuple[Case, ...]
    obstacle: str | None

    @property
    def comes_into_force(self) -> bool:
        """Whether something else is in force than the job's status says."""
        content, last = self.force.content, self.observed.job.status.approval
        return content is not None and content.digest != (last and last.digest)

    @property
    def wants_a_start(self) -> bool:
        """Whether a run was requested that has not begun."""
        return any(_waits(case) for case in self.cases)


def assess(observed: Observed, force: InForce | None = None) -> Situation:
    """The situation that follows from what was observed.

    `force`: what is in force, where the caller knows more about it than the approvals say.
    """
    force = in_force(observed) if force is None else force
    return Situation(observed, force, cases(observed), obstacles.obstacle(observed, force))


def doubts(situation: Situation, now: datetime) -> Iterator[Look]:
    """Everything that should be looked at again before anything is decided, in this order."""
    yield from about_decisions(situation)
    yield from about_runs(situation)
    yield from _about_starts(situation, now)
    if situation.observed.sources and situation.comes_into_force:
        yield Look("texts", why="between the card and the approval somebody may have changed one")
    if revisions.due(situation.observed, now):
        yield Look("batchjobs", why="a revision is to go that no Job seems to need")


def about_decisions(situation: Situation) -> Iterator[Look]:
    """Questions about what people decided about the content and its packages."""
    if _misses_an_approval(situation):
        yield Look("approvals", why="something is in use, or waits, that no approval covers")
    if _misses_a_package(situation):
        yield Look("packages", why="a package is in use, or waited for, that is not approved")


def _misses_an_approval(situation: Situation) -> bool:
    observed = situation.observed
    in_use = {
        job.digest for job in observed.batch_jobs if not job.ended and job.stop_reason is None
    }
    last, cron = observed.job.status.approval, observed.cron_job
    starting = cron.digest if cron and not cron.suspended else None
    wanted = (last and last.digest, starting, *in_use)
    if any(digest and verdict(digest, observed.approvals) != "Approved" for digest in wanted):
        return True
    return situation.force.content is None and situation.wants_a_start


def _misses_a_package(situation: Situation) -> bool:
    observed, force = situation.observed, situation.force
    last = observed.job.status.approval
    contents = (
        content
        for content in (force.current, observed.previous)
        if content and last and content.digest == last.digest
    )
    pins = {pin for content in contents for pin in content.spec.packages}
    pins.update(
        pin
        for job in observed.batch_jobs
        if not job.ended and job.stop_reason is None
        for pin in job.packages
    )
    if observed.packages.lacking(pins):
        return True
    return bool(force.lacking) and force.content is None and situation.wants_a_start


def about_runs(situation: Situation) -> Iterator[Look]:
    """Questions about runs, Jobs and pods that seem to be gone."""
    for case in situation.cases:
        if not case.final and not (case.run and case.run.final) and _lacks_something(case):
            yield from _about(case)
    cron = situation.observed.cron_job
    if cron is not None and cron.suspended and situation.force.content is None:
        yield Look("batchjobs", why="the CronJob is to go that no Job seems to need")


def _about(case: Case) -> Iterable[Look]:
    if case.run is None or case.earlier:
        yield Look("run", case.name, "a Job has no run, or one of another run")
    if case.run is not None:
        yield Look("batchjob", case.name, "the run seems to be over")
        if case.pod is None:
            yield Look("pods", case.name, "the run seems to have no pod")


def _lacks_something(case: Case) -> bool:
    run = case.run
    if run is None or case.earlier:
        return True
    if run.skip or not (run.adopted or begun(run)):
        # It waits. A decision about it is a write that holds only for the run as it was read.
        return False
    return has_ended(case) and (case.pod is None or case.pod.ending)


def _waits(case: Case) -> bool:
    return case.run is not None and case.run.manual and not case.run.adopted


def _about_starts(situation: Situation, now: datetime) -> Iterator[Look]:
    """Questions about starts to be given up or made by the operator: are they Jobs or runs now?"""
    observed = situation.observed
    paused = is_suspended(observed.job) or observed.job.status.failure_pause is not None
    status = observed.job.status
    plan = accounting.start_plan(
        observed, situation.force, status, situation.obstacle, suspended=paused, now=now
    )
    for write in plan.writes:
        yield Look("batchjob", write.name, "its start seems to be lost")
        yield Look("run", write.name, "its start seems to be lost")
