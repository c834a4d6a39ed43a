"""Leadership by a Lease: one operator acts at a time. The election is the client library's.

Its Lease lock is not used: version 37 cannot create a Lease (it passes `pretty` a bool that its own
validation refuses), and the typed API classes behind it cost memory. This one does the same with
plain requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.baselock import BaseLock

from agentjobs.cluster.client import Cluster, Json
from agentjobs.core.errors import ClusterError
from agentjobs.core.plan import Write

LEASE_SECONDS: Final = 15
RENEW_DEADLINE_SECONDS: Final = 10
RETRY_SECONDS: Final = 2
REQUEST_SECONDS: Final = 4.0
"""Several attempts have to fit into the renew deadline."""

MAX_TRANSITIONS: Final = 2**31 - 1

log = logging.getLogger(__name__)


class _LeaseLock(BaseLock):
    """A coordination.k8s.io/v1 Lease.

    An API server that does not answer is a failed attempt, not the end of the process.
    """

    def __init__(self, cluster: Cluster, name: str, namespace: str, identity: str) -> None:
        super().__init__(name, namespace, identity)
        self._cluster = cluster
        self._lease: Json = {}

    async def get(
        self, name: str, namespace: str
    ) -> tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]:
        try:
            self._lease = await self._cluster.get("lease", namespace, name, seconds=REQUEST_SECONDS)
        except ClusterError as error:
            failure = ApiException(status=error.status, reason=str(error))
            failure.body = json.dumps({"code": error.status})
            return False, failure
        spec = self._lease.get("spec") or {}
        duration = spec.get("leaseDurationSeconds")
        times = spec.get("acquireTime"), spec.get("renewTime")
        return True, LeaderElectionRecord(
            spec.get("holderIdentity") or None, str(duration) if duration else None, *times
        )

    async def create(
        self, name: str, namespace: str, election_record: LeaderElectionRecord
    ) -> bool:
        now = _now()
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace},
            "spec": self._spec(election_record, now) | {"acquireTime": now, "leaseTransitions": 0},
        }
        return await self._write("create", body)

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        old, now = self._lease.get("spec") or {}, _now()
        spec = old | self._spec(updated_record, now)
        if old.get("holderIdentity") != updated_record.holder_identity:
            # Anyone who may write Leases here could set it to the highest number there is; one more
            # would be refused forever.
            transitions = min(old.get("leaseTransitions") or 0, MAX_TRANSITIONS - 1) + 1
            spec |= {"acquireTime": now, "leaseTransitions": transitions}
        return await self._write("replace", self._lease | {"spec": spec})

    async def release(self) -> None:
        """Gives the lease back, if it is ours, so that a successor need not wait for it to expire.

        Tries again when it changed meanwhile: a renewal that timed out can still arrive (seen in an
        audit log, as a 504 and then a 409).
        """
        for _ in range(2):
            held, _ = await self.get(self.name, self.namespace)
            if not held or (self._lease.get("spec") or {}).get("holderIdentity") != self.identity:
                return
            spec = self._lease["spec"] | {
                "holderIdentity": "",
                "leaseDurationSeconds": 1,
                "renewTime": _now(),
            }
            if await self._write("replace", self._lease | {"spec": spec}):
                return

    @staticmethod
    def _spec(record: LeaderElectionRecord, now: str) -> Json:
        return {
            "holderIdentity": record.holder_identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now,
        }

    async def _write(self, verb: Any, body: Json) -> bool:
        try:
            self._lease = await self._cluster.write(
                self.namespace,
                Write(verb, "lease", self.name, "leadership", body),
                seconds=REQUEST_SECONDS,
            )
        except ClusterError as error:
            log.warning("the lease could not be written: %s", error)
            return False
        return True


def _now() -> str:
    """The time now as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Leadership:
    """Holds the Lease as long as `run` runs.

    `identity` is this process's; a restarted container of the same pod takes its own lease back.
    """

    def __init__(self, cluster: Cluster, *, name: str, namespace: str, identity: str) -> None:
        self._lock = _LeaseLock(cluster, name, namespace, identity)
        self.leading = False

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Waits for the lease, then runs `lead`.

        Returns when the lease is lost or `lead` ends; `lead` is cancelled in the first case.
        """
        done = asyncio.Event()
        failure: list[BaseException] = []

        async def started() -> None:
            self.leading = True
            try:
                await lead()
            except BaseException as error:
                failure.append(error)
                raise
            finally:
                self.leading = False
                done.set()

        async def stopped() -> None:
            log.error("the lease is lost")

        config = Config(
            self._lock, LEASE_SECONDS, RENEW_DEADLINE_SECONDS, RETRY_SECONDS, started, stopped
        )
        election = asyncio.create_task(LeaderElection(config).run())
        finished = asyncio.create_task(done.wait())
        try:
            await asyncio.wait({election, finished}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finished.cancel()
            election.cancel()
            ended, _ = await asyncio.gather(election, finished, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        if failure and not isinstance(failure[0], asyncio.CancelledError):
            raise failure[0]

    async def release(self) -> None:
        """Gives the lease back. Call when `run` has returned."""
        await self._lock.release()
