"""An API server in memory.

It offers what `cluster.client.Cluster` does, with the rules that the operator's promises rest on.
Those are resource versions, preconditions, the status as a subresource of its own, generations,
selectors of lists and watches, and that a write which changes nothing leaves no trace. Objects are
never changed in place, so a copy of the tables is a snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from agentjobs.cluster.client import TABLE, Json
from agentjobs.core.errors import Conflict, NotFound
from agentjobs.core.plan import Write
from agentjobs.core.timestamps import to_wire
from agentjobs.core.workload.pod import GRACE_SECONDS

Row = tuple[str, str, str]
"""Kind, namespace, name."""
Selectors = Mapping[str, str]
Objects = list[Json]
SYSTEM: Final = (
    *"namespace name uid resourceVersion generation".split(),
    *"creationTimestamp deletionTimestamp".split(),
)
WITH_STATUS: Final = frozenset({"job", "run", "cronjob", "batchjob", "pod"})
GRACE: Final = timedelta(seconds=GRACE_SECONDS)
RUN_COLUMNS: Final = ("Job", "Phase", "Finished", "Output Bytes", "Stored Bytes")


@dataclass(frozen=True, slots=True)
class Change:
    """What one write did. `before` is None for a new object, `after` for one that is gone."""

    kind: str
    version: int
    before: Json | None
    after: Json | None


def _no_log(pod: Json, container: str) -> bytes:
    raise NotFound(f"the container {container} of {pod['metadata']['name']} has no log", 404)


@dataclass
class Server:
    """Raises Conflict and NotFound as the real one answers 409 and 404.

    `now` is what it puts into timestamps; tests move it.
    """

    now: datetime
    log_of: Callable[[Json, str], bytes] = _no_log
    objects: dict[Row, Json] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    version: int = 100

    def copy(self) -> Server:
        """The same state, from here on apart."""
        return replace(self, objects=dict(self.objects), changes=list(self.changes))

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        """One object, whole, whatever form is asked for."""
        return self._known((kind, namespace, name))

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "application/json", **selectors: str
    ) -> AsyncIterator[Json]:
        """One page. The Table form has the columns that runs have."""
        found = self.all(kind, namespace, selectors)
        page = _table(found) if accept == TABLE else {"items": found}
        yield page | {"metadata": {"resourceVersion": str(self.version)}}

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes:
        """The last lines of whatever `log_of` makes of the pod and its container."""
        log = self.log_of(self._known(("pod", namespace, pod)), container)
        return b"".join(log.splitlines(keepends=True)[-tail_lines:])

    async def write(self, namespace: str, write: Write) -> Json:
        """As a client's request."""
        return self.put(namespace, write)

    def put(self, namespace: str, write: Write) -> Json:
        """The object as it is afterwards."""
        row = (write.kind, namespace, write.name)
        body: Json = dict(write.body or {})
        if write.verb == "create":
            return self.create(write.kind, namespace, body)
        known = self._known(row)
        preconditions = {"uid": write.uid, "resourceVersion": write.resource_version}
        asked = preconditions if write.verb == "delete" else body.get("metadata", {})
        if not (asked.get("uid") or asked.get("resourceVersion")):
            raise AssertionError(f"{write} may hit another object than the one that was read")
        _check(row, known, asked)
        if write.verb == "delete":
            self.remove(row)
            return known
        merged = merge(known, body) if write.verb == "patch" else body
        return self._store(row, _part(known, merged, write.subresource))

    def create(self, kind: str, namespace: str, body: Json) -> Json:
        """A new object; its name stands in the body."""
        row = (kind, namespace, body["metadata"]["name"])
        if row in self.objects:
            raise Conflict(f"{row} exists", 409)
        system = {
            "namespace": namespace,
            "uid": f"{kind}-{self.version}",
            "generation": 1,
            "creationTimestamp": to_wire(self.now),
        }
        return self._store(row, {**body, "metadata": {**body["metadata"], **system}})

    def patch(self, row: Row, **parts: Any) -> Json:
        """Merged into the object, status and all.

        So a controller's several requests would have it in the end.
        """
        return self._store(row, merge(self._known(row), parts))

    def remove(self, row: Row) -> None:
        """At once, and nobody is asked; a pod whose container runs is told to end instead."""
        known = self._known(row)
        statuses = known.get("status", {}).get("containerStatuses", ())
        running = any("running" in status["state"] for status in statuses)
        if running and "deletionTimestamp" not in known["metadata"]:
            until = to_wire(self.now + GRACE)
            ending = {"deletionTimestamp": until, "deletionGracePeriodSeconds": GRACE.seconds}
            self.patch(row, metadata=ending)
        elif not running:
            self.forget(row)

    def forget(self, row: Row) -> None:
        """It is gone."""
        self.version += 1
        self.changes.append(Change(row[0], self.version, self.objects.pop(row), None))

    def all(self, kind: str, namespace: str = "", selectors: Selectors | None = None) -> Objects:
        """The objects of a kind, by namespace and name."""
        rows = sorted(row for row in self.objects if row[0] == kind and namespace in ("", row[1]))
        return [self.objects[row] for row in rows if matches(self.objects[row], selectors or {})]

    def watch(self, kind: str, since: int, selectors: Selectors) -> Iterator[tuple[str, Json]]:
        """What a watch stream tells of the changes from this index on.

        An object that stops matching is DELETED, with its old body.
        """
        for change in self.changes[since:]:
            if change.kind == kind:
                old = change.before if change.before and matches(change.before, selectors) else None
                new = change.after if change.after and matches(change.after, selectors) else None
                if new is not None:
                    yield ("MODIFIED" if old else "ADDED"), new
                elif old is not None:
                    metadata = {**old["metadata"], "resourceVersion": str(change.version)}
                    yield "DELETED", {**old, "metadata": metadata}

    def _known(self, row: Row) -> Json:
        if row not in self.objects:
            raise NotFound(f"no {row}", 404)
        return self.objects[row]

    def _store(self, row: Row, body: Json) -> Json:
        known = self.objects.get(row)
        if body == known:
            return known
        self.version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.version)}
        if known and known.get("spec") != body.get("spec"):
            metadata["generation"] = known["metadata"]["generation"] + 1
        self.objects[row] = stored = {**body, "metadata": metadata}
        self.changes.append(Change(row[0], self.version, known, stored))
        return stored


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _part(known: Json, wanted: Json, subresource: str) -> Json:
    """Of a wanted object the part that this request may change: the status, or everything else."""
    if subresource:
        return {**known, "status": wanted.get("status", {})}
    kept = {name: known["metadata"][name] for name in SYSTEM if name in known["metadata"]}
    metadata = {**wanted["metadata"], **kept}
    status = {"status": known["status"]} if "status" in known else {}
    return {**wanted, "metadata": metadata, **status}


def _check(row: Row, known: Json, wanted: Mapping[str, Any]) -> None:
    for name in ("uid", "resourceVersion"):
        if wanted.get(name) not in (None, known["metadata"][name]):
            raise Conflict(f"{row}: {name} is {known['metadata'][name]}, not {wanted[name]}", 409)


def matches(body: Json, selectors: Selectors) -> bool:
    """By `labelSelector` and `fieldSelector`, each a list with commas.

    Labels as `key` or `key=value`, fields as `path!=value` or `path=value`.
    """
    labels = body["metadata"].get("labels") or {}
    wanted = [term for term in selectors.get("labelSelector", "").split(",") if term]
    fields = [term for term in selectors.get("fieldSelector", "").split(",") if term]
    return all(_has_label(labels, term) for term in wanted) and all(
        _has_field(body, term) for term in fields
    )


def _has_label(labels: Mapping[str, str], term: str) -> bool:
    key, equals, value = term.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _has_field(body: Json, term: str) -> bool:
    path, _, value = term.partition("=")
    found: Any = body
    for step in path.removesuffix("!").split("."):
        found = (found or {}).get(step)
    return ((found or "") == value) != path.endswith("!")


def _table(runs: list[Json]) -> Json:
    return {
        "columnDefinitions": [{"name": name} for name in RUN_COLUMNS],
        "rows": [_cells(run) for run in runs],
    }


def _cells(run: Json) -> Json:
    status = run.get("status", {})
    cells = [run["spec"]["jobName"], status.get("phase", ""), status.get("finishedAt", "")]
    cells += [status.get("outputBytes", 0), status.get("storedBytes", 0)]
    return {"cells": cells, "object": {"metadata": run["metadata"]}}
