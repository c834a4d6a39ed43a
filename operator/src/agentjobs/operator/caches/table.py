"""The objects of one kind, as views, by job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from agentjobs.core.views.metadata import Body
from agentjobs.core.wire.bodies import unreadable

Key = tuple[str, str]
"""Namespace and name of an object; of the job, where it names a reconcile."""
V = TypeVar("V")


class Table(Generic[V]):
    """The objects of one kind.

    An older state never replaces a newer one: resource versions of a resource can be compared as
    numbers (KEP-5504, Kubernetes 1.35).
    """

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
        is_gone = any(version <= gone.get(row, 0) for gone in self._gone)
        if not is_gone and (known is None or known[0] <= version):
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
