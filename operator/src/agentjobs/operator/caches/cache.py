"""The cluster's objects as they were last seen, as views, by job.

Fed by watch events, by the answers to our own writes and by re-lists. An older state never replaces
a newer one: resource versions of a resource can be compared as numbers (KEP-5504, Kubernetes 1.35).
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from agentjobs.core.content.packages import PackageApprovalView, package_approval_view
from agentjobs.core.runs.retention import size
from agentjobs.core.views.approvals import ApprovalView, RevisionView, approval_view, revision_view
from agentjobs.core.views.batch_job import BatchJobView, batch_job_view
from agentjobs.core.views.metadata import Body, controller_uid
from agentjobs.core.views.pod import PodView, pod_view
from agentjobs.core.views.run import FinishedRun, RunView, run_view
from agentjobs.core.wire.bodies import SIZE, unreadable
from agentjobs.operator.caches.sources import SourceCache
from agentjobs.operator.caches.uses import Uses

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of an object; of the job, where it names a reconcile."""
V = TypeVar("V")
KINDS: Final = ("job", "approval", "packageapproval", "batchjob", "pod", "run", "revision")
NO_JOB: Final = ""
"""Used instead of a job's name for what belongs to all jobs of the namespace."""


class Table(Generic[V]):
    """The objects of one kind."""

    def __init__(self, view: Callable[[Body], V], job_of: Callable[[V], str]) -> None:
        self._view = view
        self._job_of = job_of
        self._rows: dict[Key, tuple[int, str, V]] = {}
        self._by_job: dict[Key, set[str]] = defaultdict(set)
        self._gone: tuple[dict[Key, int], dict[Key, int]] = ({}, {})
        self.unreadable: set[Key] = set()
        """The objects that could not be read whole, or of which no view could be made."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._rows))

    def put(self, body: Body) -> Key:
        """Remembers an object; returns its job's key."""
        metadata = body["metadata"]
        row = metadata["namespace"], metadata["name"]
        return self.put_view(*row, int(metadata["resourceVersion"]), self.read(body))

    def read(self, body: Body) -> V:
        """The view of an object, which is not remembered yet."""
        row = body["metadata"]["namespace"], body["metadata"]["name"]
        self.unreadable.add(row)
        view = self._view(body)
        if not unreadable(body):
            self.unreadable.discard(row)
        return view

    def put_view(self, namespace: str, name: str, version: int, view: V) -> Key:
        """As `put`, for something that is a view already."""
        row, job = (namespace, name), self._job_of(view)
        known = self._rows.get(row)
        if (known is None or known[0] <= version) and not any(
            version <= gone.get(row, 0) for gone in self._gone
        ):
            if known is not None and known[1] != job:
                self._by_job[namespace, known[1]].discard(name)
            self._rows[row] = (version, job, view)
            self._by_job[namespace, job].add(name)
        return namespace, job

    def get(self, row: Key) -> V | None:
        """The view of an object; None when it is not known."""
        known = self._rows.get(row)
        return known[2] if known else None

    def version(self, row: Key) -> int:
        """The version of an object; 0 when it is not known."""
        known = self._rows.get(row)
        return known[0] if known else 0

    def relisted(self) -> None:
        """Call when a list begins. Deletions are remembered until the list after it has begun."""
        self._gone = ({}, self._gone[0])

    def drop(self, row: Key, version: int = 0) -> Key | None:
        """Forgets an object; returns its job's key.

        `version`: of its deletion, since a list requested earlier may still arrive.
        """
        if version:
            self._gone[0][row] = version
        known = self._rows.pop(row, None)
        self.unreadable.discard(row)
        if known is None:
            return None
        job = row[0], known[1]
        self._by_job[job].discard(row[1])
        if not self._by_job[job]:
            del self._by_job[job]
        return job

    def of(self, job: Key) -> tuple[V, ...]:
        """The objects of one job, in no order."""
        return tuple(self._rows[job[0], name][2] for name in self._by_job.get(job, ()))

    def all(self) -> Iterator[V]:
        """Every object."""
        return (row[2] for row in self._rows.values())


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
        self.package_approvals: Table[PackageApprovalView] = Table(
            package_approval_view, lambda _: NO_JOB
        )
        self.uses = Uses()
        self.batch_jobs: Table[BatchJobView] = Table(batch_job_view, lambda v: v.job)
        self.pods: Table[PodView] = Table(pod_view, lambda v: v.job)
        self.runs: Table[RunView] = Table(run_view, lambda v: v.job)
        self.revisions: Table[RevisionView] = Table(revision_view, lambda v: v.job)
        self.sources = SourceCache()
        self.finished: Table[FinishedRun] = Table(_finished_run, lambda v: v.job)
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
        return self.table(kind).put_view(
            metadata["namespace"], metadata["name"], int(metadata["resourceVersion"]), view
        )

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
            return self.finish(_finished_run(body), int(body["metadata"]["resourceVersion"]))
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
        row = body["metadata"]["namespace"], body["metadata"]["name"]
        if (
            kind == "pod"
            and (pod := pod_view(body)).ended
            and self.runs.get((pod.namespace, pod.run))
        ):
            return self.pods.put(body)
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


def _shared(text: Any) -> Any:
    """The one copy of a text that many records share."""
    return sys.intern(text) if type(text) is str else text


def _finished_run(body: Body) -> FinishedRun:
    metadata, status = body["metadata"], body.get("status") or {}
    return FinishedRun(
        namespace=_shared(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        job=_shared(body["spec"]["jobName"]),
        phase=_shared(status.get("phase", "")),
        finished=status.get("finishedAt") or metadata["creationTimestamp"],
        output_bytes=status.get("outputBytes") or 0,
        owner_uid=_shared(controller_uid(body)),
        stored_bytes=status.get("storedBytes") or 0,
    )


def finished_rows(table: Body, known: Table[FinishedRun]) -> Iterator[tuple[FinishedRun, int]]:
    """The finished runs in a Table answer of the API server, each with its resource version.

    Where that version is known already, the very line that is kept. The columns are found by name.
    """
    columns = {
        column["name"]: index for index, column in enumerate(table.get("columnDefinitions") or ())
    }
    for row in table.get("rows") or ():
        try:
            metadata = row["object"]["metadata"]
            key, version = (
                (metadata["namespace"], metadata["name"]),
                int(metadata["resourceVersion"]),
            )
            kept = known.get(key) if known.version(key) == version else None
            found = kept or _finished_row(columns, row)
        except Exception:
            # Whatever this line holds, the others are read.
            log.exception("a line of the list of finished runs cannot be read")
        else:
            yield found, version


def _finished_row(columns: dict[str, int], row: Body) -> FinishedRun:
    metadata, cells = row["object"]["metadata"], row["cells"]
    return FinishedRun(
        namespace=_shared(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        job=_shared(cells[columns["Job"]]),
        phase=_shared(cells[columns["Phase"]]),
        finished=cells[columns["Finished"]] or metadata["creationTimestamp"],
        output_bytes=int(cells[columns["Output Bytes"]] or 0),
        owner_uid=_shared(controller_uid(row["object"])),
        stored_bytes=_stored(
            row, cells[columns["Stored Bytes"]] if "Stored Bytes" in columns else None
        ),
    )


def _stored(row: Body, recorded: int | None) -> int:
    """The size that the record gives, or its metadata's present size where somebody added to it."""
    return max(int(recorded or 0), int(row.get(SIZE, 0)))
