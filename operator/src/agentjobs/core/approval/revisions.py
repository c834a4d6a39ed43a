"""Decides which revisions are still needed: by what is in force, runs, or may still start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from agentjobs.core import naming
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Write
from agentjobs.core.views.approvals import RevisionView
from agentjobs.core.workload import pod

LEFT_ALONE: Final = timedelta(seconds=60)
"""A revision is deleted this long after it was found left over.

By then a start from an older CronJob has been seen."""


def frozen(observed: Observed, digest: str) -> pod.Frozen:
    """Where pods find an approved content.

    It is in the revision with today's name, unless one with the older name exists.
    """
    older = naming.older_revision_name(observed.job.name, digest)
    name = older if older in observed.revisions else naming.revision_name(observed.job.name, digest)
    return pod.Frozen(name, name in observed.resolutions)


def obstacle(observed: Observed, force: InForce) -> str | None:
    """The sentence where a foreign ConfigMap has the revision's name.

    Pods would mount what nobody approved, and their runner would refuse it.
    """
    name = frozen(observed, force.content.digest).name if force.content else ""
    if name not in observed.foreign:
        return None
    return f"a ConfigMap named {name} exists and does not belong to this job; delete it"


def left_over(observed: Observed, force: InForce) -> tuple[RevisionView, ...]:
    """The job's revisions that nothing needs, as far as is known."""
    needed = _needed(observed, force)
    return tuple(
        revision
        for revision in observed.kept
        if revision.owner_uid in (observed.job.uid, None)
        and revision.name in _names(observed.job.name, revision.digest)
        and revision.digest not in needed
    )


def _names(job: str, digest: str) -> frozenset[str]:
    """The names of a revision and of its resolution of packages: both are deleted together."""
    names = naming.revision_name(job, digest), naming.older_revision_name(job, digest)
    return frozenset((*names, *map(naming.resolution_name, names)))


def _needed(observed: Observed, force: InForce) -> frozenset[str | None]:
    holders = (force.content, observed.job.status.approval, observed.cron_job)
    needed = {holder.digest for holder in holders if holder}
    needed |= {job.digest for job in observed.batch_jobs}
    needed |= {run.digest for run in observed.runs}
    return frozenset(needed)


def due(observed: Observed, now: datetime) -> bool:
    """Whether a revision has been left over for long enough to be deleted."""
    return any(now - since >= LEFT_ALONE for since in observed.left_over_since.values())


def sweep(observed: Observed, force: InForce, now: datetime) -> Iterable[Write]:
    """Deletes what has been left over for a while."""
    for revision in left_over(observed, force):
        since = observed.left_over_since.get(revision.uid)
        if since is not None and now - since >= LEFT_ALONE:
            name, why = revision.name, "it is no longer needed"
            yield Write("delete", "revision", name, why, uid=revision.uid, expendable=True)


def next_look(observed: Observed, now: datetime) -> Iterable[float]:
    """In how many seconds the next ones may be deleted."""
    return (
        (since + LEFT_ALONE - now).total_seconds()
        for since in observed.left_over_since.values()
        if now - since < LEFT_ALONE
    )
