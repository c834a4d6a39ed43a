"""The cluster's objects as they were last seen, as views, by job.

Fed by watch events, by the answers to our own writes and by re-lists.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, Final

from agentjobs.core.content.packages import PackageApprovalView, package_approval_view
from agentjobs.core.runs.retention import size
from agentjobs.core.views.approvals import ApprovalView, RevisionView, approval_view, revision_view
from agentjobs.core.views.batch_job import BatchJobView, batch_job_view
from agentjobs.core.views.metadata import Body
from agentjobs.core.views.pod import PodView, pod_view
from agentjobs.core.views.run import FinishedRun, RunView, run_view
from agentjobs.operator.caches.finished import finished_run
from agentjobs.operator.caches.sources import SourceCache
from agentjobs.operator.caches.table import Key, Table
from agentjobs.operator.caches.uses import Uses

log = logging.getLogger(__name__)

KINDS: Final = ("job", "approval", "packageapproval", "batchjob", "pod", "run", "revision")
NO_JOB: Final = ""
"""Used instead of a job's name for what belongs to all jobs of the namespace."""


@dataclass(frozen=True, slots=True)
class JobRef:
    """A ScheduledAgentJob that exists. Its body is read when it is reconciled."""

    name: str
    phase: str


class Cache:
    """The tables.

    `finished` holds one short line for every finished run, so that retention need not read their
    bodies.
    """

    def __init__(self) -> None:
        self.jobs: Table[JobRef] = Table(_job_ref, lambda v: v.name)
        self.approvals: Table[ApprovalView] = Table(approval_view, lambda v: v.job_name)
        packages: Table[PackageApprovalView] = Table(package_approval_view, lambda _: NO_JOB)
        self.package_approvals = packages
        self.uses = Uses()
        self.batch_jobs: Table[BatchJobView] = Table(batch_job_view, lambda v: v.job)
        self.pods: Table[PodView] = Table(pod_view, lambda v: v.job)
        self.runs: Table[RunView] = Table(run_view, lambda v: v.job)
        self.revisions: Table[RevisionView] = Table(revision_view, lambda v: v.job)
        self.sources = SourceCache()
        self.finished: Table[FinishedRun] = Table(finished_run, lambda v: v.job)
        self._newest: dict[str, int] = defaultdict(int)
        self.stored_bytes: dict[str, int] = defaultdict(int)
        """Bytes of finished runs, by namespace, as `retention.size` counts them."""

    def table(self, kind: str) -> Table[Any]:
        """The table of the kind with this short name."""
        tables: dict[str, Table[Any]] = {
            "job": self.jobs,
            "approval": self.approvals,
            "packageapproval": self.package_approvals,
            "batchjob": self.batch_jobs,
            "pod": self.pods,
            "run": self.runs,
            "revision": self.revisions,
        }
        return tables[kind]

    def unreadable(self) -> dict[str, int]:
        """How many objects of each kind could not be read whole."""
        return {kind: len(self.table(kind).unreadable) for kind in KINDS}

    def take(self, kind: str, body: Body) -> Key | None:
        """As `Table.put`, for streams and lists.

        An object that cannot be read harms no other, and what was known of it stays.
        """
        metadata, view = body["metadata"], self.read(kind, body)
        if view is None:
            return None
        version = int(metadata["resourceVersion"])
        return self.table(kind).put_view(metadata["namespace"], metadata["name"], version, view)

    def read(self, kind: str, body: Body) -> Any:
        """The view of an object, which is not remembered yet; None where it cannot be read."""
        try:
            return self.table(kind).read(body)
        except Exception:
            # Whatever the object holds, it must not end the list or the stream that it came with.
            metadata = body.get("metadata") or {}
            names = {"namespace": metadata.get("namespace"), "object": metadata.get("name")}
            log.exception("an object of the kind %s cannot be read", kind, extra=names)
            return None

    def saw_version(self, kind: str, version: int) -> None:
        """Notes that an event, or the answer to a request, was of this version."""
        self._newest[kind] = max(version, self._newest[kind])

    def newest(self, kind: str) -> int:
        """The newest version that was seen of any object of a kind, deleted ones included."""
        return self._newest[kind]

    def learn(self, kind: str, body: Body) -> Key | None:
        """Takes in an object as it is now; returns its job's key.

        A run that is finished moves to its line in `finished`.
        """
        self.saw_version(kind, int(body["metadata"]["resourceVersion"]))
        if kind == "run" and run_view(body).final:
            self.runs.drop((body["metadata"]["namespace"], body["metadata"]["name"]))
            return self.finish(finished_run(body), int(body["metadata"]["resourceVersion"]))
        return self.table(kind).put(body)

    def learn_batch_job(self, job: Key, body: Body) -> None:
        """Takes in a Job that has a name which this job needs.

        Without our label it is not this job's, whatever its owner says.
        """
        view = batch_job_view(body)
        if view.job != job[1]:
            view = replace(view, job=job[1], owner_uid=None, foreign=True)
        self.batch_jobs.put_view(job[0], view.name, int(view.resource_version), view)

    def gone(self, kind: str, body: Body) -> Key | None:
        """Takes in a deletion; returns the job's key. The event holds the object's last state.

        How a pod ended may be in that state alone: it is kept while its run has no record, at most
        until the next re-list.
        """
        if kind == "pod":
            pod = pod_view(body)
            if pod.ended and self.runs.get((pod.namespace, pod.run)):
                return self.pods.put(body)
        row = body["metadata"]["namespace"], body["metadata"]["name"]
        return self.table(kind).drop(row, int(body["metadata"]["resourceVersion"]))

    def finish(self, run: FinishedRun, version: int) -> Key:
        """Takes in a finished run, from our last write or from a list; returns its job's key."""
        self.forget_finished((run.namespace, run.name))
        self.stored_bytes[run.namespace] += size(run)
        return self.finished.put_view(run.namespace, run.name, version, run)

    def forget_finished(self, row: Key) -> None:
        """Call when the record of a run was deleted."""
        known = self.finished.get(row)
        if known is not None:
            self.stored_bytes[row[0]] -= size(known)
            self.finished.drop(row)

    def finished_in(self, namespace: str) -> tuple[FinishedRun, ...]:
        """Every finished run of a namespace."""
        return tuple(run for run in self.finished.all() if run.namespace == namespace)


def _job_ref(body: Body) -> JobRef:
    return JobRef(body["metadata"]["name"], (body.get("status") or {}).get("phase", ""))
