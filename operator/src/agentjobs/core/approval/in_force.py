"""Decides which content of a job runs, by the approvals alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from agentjobs.api.package_rules import canonical
from agentjobs.core.approval import decisions
from agentjobs.core.content import digest as digests
from agentjobs.core.content.digest import Content
from agentjobs.core.content.packages import listed
from agentjobs.core.content.sources import NO_SOURCES, Sources
from agentjobs.core.errors import UserError
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.schedules import next_starts
from agentjobs.core.triggers import events
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.job import JobView


def current_content(job: JobView, sources: Sources = NO_SOURCES) -> Content:
    """The content of the spec as it is now. Raises UserError where it is not valid."""
    if job.spec is None:
        raise UserError(job.problem or "the spec cannot be read")
    with found_in("spec.schedule"):
        next_starts.check(job.spec.schedule)
    with found_in("spec.triggers"):
        events.check(job.spec)
    with found_in("spec"):
        return digests.content(job.name, job.spec, sources)


def valid_content(job: JobView, sources: Sources) -> Content | None:
    """The content of the spec as it is now; None where it is not valid."""
    try:
        return current_content(job, sources)
    except UserError:
        return None


@contextmanager
def found_in(field: str) -> Iterator[None]:
    """Turns any exception into a UserError about this field.

    A spec that breaks our code must not keep a denial from its effect.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{field}: agentjobs cannot process this value ({type(error).__name__}); write it"
            " differently"
        ) from error


def in_force(observed: Observed, *, unusable: UserError | None = None) -> InForce:
    """What runs, by the approvals of contents and packages alone, in whatever order they were made.

    `unusable`: why the spec as it is now has no content, where that is already known.
    """
    current, problem = None, unusable
    try:
        current = None if unusable else current_content(observed.job, observed.sources)
    except UserError as error:
        problem = error
    packages = observed.packages.without(observed.packages_alone)
    candidates = ((observed.previous, observed.packages), (current, packages))
    contents = {
        content.digest: content
        for content, counting in candidates
        if content and not counting.lacking(content.spec.packages)
    }
    own, last = (
        content.digest if content and content.digest in contents else None
        for content in (current, observed.previous)
    )
    digest = decisions.digest_in_force(own, last, observed.approvals)
    verdict = decisions.verdict(current.digest, observed.approvals) if current else "Pending"
    lacking = packages.lacking(current.spec.packages) if current else {}
    return InForce(current, contents[digest] if digest else None, problem, verdict, lacking)


def pins_in_use(observed: Observed, batch_jobs: Iterable[BatchJobView]) -> frozenset[str]:
    """Canonical pins of the job's spec, the content in force, and what its runs started with."""
    specs = (observed.job.spec, observed.previous.spec if observed.previous else None)
    pins = (pin for spec in specs if spec for pin in spec.packages)
    return frozenset(map(canonical, (*pins, *(pin for job in batch_jobs for pin in job.packages))))


def is_suspended(job: JobView) -> bool:
    """Whether only runs by hand may start, or none.

    True also where the rest of the spec is invalid and an approved revision is in force.

    A job that is being deleted counts as suspended while a finalizer keeps it.
    """
    return job.suspended or job.deleting


def why_nothing_runs(force: InForce, job: str) -> str:
    """The sentence for a run by hand where no content is in force."""
    if force.problem:
        return (
            f"no content of {job} is approved, and its current spec cannot be approved; see the"
            " job's condition Ready"
        )
    if force.verdict == "Approved":
        return (
            f"packages of {job} are not approved: {listed(force.lacking)}; see the job's condition"
            " PackagesApproved"
        )
    if force.verdict == "Denied":
        return (
            f"the content of {job} was denied, and no other content of it is approved; see the"
            " job's condition Approved"
        )
    return f"no content of {job} is approved; status.card of the job shows what to approve"
