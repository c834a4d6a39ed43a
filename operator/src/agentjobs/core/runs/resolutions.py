"""Keeps the first resolution of a revision's packages.

Says which installers' logs are needed for it, and makes the write that keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentjobs.core.approval import revisions
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Stage, Write
from agentjobs.core.runs.cases import Case, has_ended
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.workload import install, records


def to_read(observed: Observed, found: Iterable[Case]) -> tuple[PodView, ...]:
    """The pods whose installer's log is needed.

    It is needed for the record of a run that is over, or because its revision has no resolution
    yet.
    """
    return tuple(
        case.pod
        for case in found
        if case.pod and case.pod.install_exit == 0 and case.unrecorded
        if has_ended(case) or not _is_kept(observed, case.batch_job)
    )


def _is_kept(observed: Observed, job: BatchJobView | None) -> bool:
    return job is None or job.digest is None or revisions.frozen(observed, job.digest).resolved


def writes(observed: Observed, force: InForce) -> Iterator[Write]:
    """Writes one resolution for each revision: a second is refused, as both have the same name."""
    contents = {
        content.digest: content for content in (observed.previous, force.current) if content
    }
    jobs = {job.name: job for job in observed.batch_jobs}
    for run, found in observed.installed.items():
        job = jobs.get(run)
        content = contents.get(job.digest or "") if job else None
        if content is None or not found.requirements or _is_kept(observed, job):
            continue
        if found.covers(content.spec.packages):
            frozen_as = revisions.frozen(observed, content.digest)
            revision = records.revision(observed.job, content)
            body = install.resolution(revision, frozen_as.name, found)
            name, why = body["metadata"]["name"], "it freezes the resolution of the packages"
            yield Write("create", "revision", name, why, body, expendable=True, stage=Stage.CREATE)
