"""Carries out decisions: a plan's writes, what depends on them, what is learned from answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from agentjobs.cluster.client import Api, Json, find
from agentjobs.core.errors import ClusterError, Conflict, Incomplete, NameTaken, NotFound, Refused
from agentjobs.core.plan import ANSWER, Kind, Plan, Write
from agentjobs.core.refusals import REPORT_AFTER, Refusals
from agentjobs.core.views.run import run_view
from agentjobs.core.views.spec_hash import spec_hash
from agentjobs.core.workload import taken
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.table import Key

log = logging.getLogger(__name__)


class Executor:
    """Carries out plans and decides nothing.

    `settled`: by the hash of a CronJob's spec as we wrote it, the hash of what the server made of
    it.
    """

    def __init__(self, cluster: Api, cache: Cache, finished: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._cache = cache
        self._finished = finished
        self.settled: dict[str, str] = {}
        self._taken: dict[Key, frozenset[tuple[Kind, str]]] = {}
        self._own_changes: dict[Key, dict[tuple[str, str], tuple[str, str]]] = {}
        self._refusals = Refusals()

    def begin(self, key: Key) -> None:
        """Call before the job is read again."""
        self._own_changes.pop(key, None)

    def forget(self, key: Key) -> None:
        """Call when the job is gone."""
        self._taken.pop(key, None)

    def taken(self, key: Key) -> frozenset[tuple[Kind, str]]:
        """What was to be created while something else had the name."""
        return self._taken.get(key, frozenset())

    def refused(self, key: Key) -> tuple[tuple[str, str], ...]:
        """What the cluster refuses, as the job is to report it."""
        return self._refusals.of(key)

    async def carry_out(self, key: Key, plan: Plan) -> float | None:
        """Carries out every write except those that depend on a failed one.

        Returns when to look again. Raises Incomplete.
        """
        failed: set[str] = set()
        errors: list[ClusterError] = []
        refusals, wait = self._refusals.begin(key), plan.requeue_after
        for write in plan.writes:
            if write.held_back_by(failed):
                refusals.left_out(write)
                continue
            if write.strand == ANSWER and refusals.changed():
                # The job's answer has to report it, so decide again at once.
                wait = 0
                continue
            try:
                await self.execute(key, write)
            except ClusterError as error:
                times = refusals.failed(write, error)
                if write.kind != "event" or times < REPORT_AFTER:
                    failed.add(write.strand or write.target)
                    errors.append(error)
            else:
                refusals.succeeded(write)
        changed = self._refusals.end(key, refusals)
        if errors:
            # A wait of 0 was meant to follow a write that failed: then the back-off says when.
            raise Incomplete(errors, 0 if changed else wait or None)
        return 0 if changed else wait

    async def execute(self, key: Key, write: Write) -> Json | None:
        """Returns the object as it is afterwards; None where it is absent or not as expected.

        Raises ClusterError.
        """
        about = {"job": key[1], "namespace": key[0]}
        log.info("%s %s %s: %s", write.verb, write.kind, write.name, write.why, extra=about)
        body: Json | None
        try:
            body = await self._cluster.write(key[0], self._on_top(key, write))
            self._changed(key, write, body)
        except (Conflict, NotFound, Refused) as error:
            await self._look_again(key, write)
            if write.verb == "create" and write.kind in taken.KINDS and isinstance(error, Conflict):
                body = await self._already_there(key, write, error)
            elif write.expendable and (write.kind == "event" or not isinstance(error, Refused)):
                body = None
            else:
                raise
        if write.verb == "create" and body is not None and key in self._taken:
            self._taken[key] -= {(write.kind, write.name)}
        self._learn(key, write, body)
        return body

    def _on_top(self, key: Key, write: Write) -> Write:
        """The write with our last change's resource version, if that was made on what was read.

        Without it our own change would be a conflict.
        """
        metadata = (write.body or {}).get("metadata", {})
        read, is_now = self._own_changes.get(key, {}).get((write.kind, write.name), ("", ""))
        if not read or metadata.get("resourceVersion") != read:
            return write
        metadata = {**metadata, "resourceVersion": is_now}
        return replace(write, body={**(write.body or {}), "metadata": metadata})

    def _changed(self, key: Key, write: Write, body: Json) -> None:
        read = (write.body or {}).get("metadata", {}).get("resourceVersion")
        if read and write.verb != "create":
            changes = self._own_changes.setdefault(key, {})
            changes[write.kind, write.name] = (read, body["metadata"]["resourceVersion"])

    async def _already_there(self, key: Key, write: Write, error: Conflict) -> Json | None:
        """The object that has the name, where it is the one that was to be created.

        Raises Conflict, or NameTaken where it is not.
        """
        found = await find(self._cluster, write.kind, key[0], write.name)
        if found is None:
            raise error
        if taken.is_same(write.kind, write.body or {}, found):
            return found
        self._taken[key] = self._taken.get(key, frozenset()) | {(write.kind, write.name)}
        if write.kind == "revision" and write.expendable:
            return None
        raise NameTaken(taken.sentence(write.kind, write.name), error.status)

    def _learn(self, key: Key, write: Write, body: Json | None) -> None:
        """Takes what was written into the caches at once, not when the watch delivers it."""
        row = key[0], write.name
        if write.verb == "delete":
            if write.kind == "run":
                self._cache.runs.drop(row)
                self._cache.forget_finished(row)
            elif write.kind == "revision":
                self._cache.revisions.drop(row)
        elif body is None:
            return
        elif write.kind == "cronjob":
            if write.verb != "patch" and write.body and "spec" in write.body:
                wanted, became = spec_hash(write.body["spec"]), spec_hash(body["spec"])
                if wanted != became:
                    self.settled[wanted] = became
        elif write.kind in ("job", "run", "batchjob", "revision"):
            known = write.kind == "run" and self._cache.finished.get(row) is not None
            self._cache.learn(write.kind, body)
            if write.kind == "run" and run_view(body).final and not known:
                self._finished(body["status"]["phase"])

    async def _look_again(self, key: Key, write: Write) -> None:
        """Reads an object again that is not as the caches have it.

        A Job of the wanted name may be one that our watch does not show: without our label it is
        not this job's, whatever its owner says.
        """
        if write.kind not in ("run", "batchjob"):
            return
        body = await find(self._cluster, write.kind, key[0], write.name)
        if body is None:
            self._cache.table(write.kind).drop((key[0], write.name))
        elif write.kind == "run":
            self._cache.learn("run", body)
        else:
            self._cache.learn_batch_job(key, body)
