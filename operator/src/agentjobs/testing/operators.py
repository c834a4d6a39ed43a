"""An operator as far as its decisions go.

It has caches, watch events, queue and reconciles, without Kopf, sockets or waiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final, TypeVar

from agentjobs.api import names
from agentjobs.api.kinds import KINDS
from agentjobs.cluster.client import Api, Json
from agentjobs.cluster.clock import Clock
from agentjobs.core.errors import ClusterError
from agentjobs.core.plan import Write
from agentjobs.operator.admission import Guard
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.relist import relist
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.caches.table import Key
from agentjobs.operator.configuration import configuration
from agentjobs.operator.reconcile import Reconciler
from agentjobs.operator.watch import RESOURCES, Watcher
from agentjobs.testing.server import Server

SETTINGS: Final[Json] = {
    "apiVersion": names.CONFIG_API_VERSION,
    "kind": names.CONFIG_KIND,
    "runner": {"image": "runner:1"},
    "approval": {"allowWithoutPolicies": True},
}
"""The least that an operator starts with."""
POLICY: Final = configuration(SETTINGS).policy()
Answer = TypeVar("Answer")
BACKOFF: Final = timedelta(seconds=1)


class _Telling:
    """An API whose answers tell the server's time, in whole seconds as the header Date does."""

    def __init__(self, api: Api, server: Server, clock: Clock) -> None:
        self._api = api
        self._server = server
        self._clock = clock

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        return await self._told(self._api.get(kind, namespace, name, accept=accept))

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "application/json", **selectors: str
    ) -> AsyncIterator[Json]:
        async for page in self._api.list(kind, namespace, accept=accept, **selectors):
            self._tell()
            yield page

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes:
        return await self._told(self._api.log(namespace, pod, container, tail_lines))

    async def write(self, namespace: str, write: Write) -> Json:
        return await self._told(self._api.write(namespace, write))

    async def _told(self, answer: Awaitable[Answer]) -> Answer:
        try:
            return await answer
        finally:
            self._tell()

    def _tell(self) -> None:
        self._clock.hear(
            format_datetime(self._server.now.astimezone(UTC), usegmt=True), self._clock.own()
        )


class Operator:
    """One process with all that it remembers.

    Its requests go to `api`, watch events come from `server`, which is behind it.

    `ahead`: by how much the clock of its machine differs from the API server's.
    """

    def __init__(self, api: Api, server: Server, ahead: timedelta = timedelta(0)) -> None:
        self._clock = Clock(lambda: server.now + ahead)
        self._api = api = _Telling(api, server, self._clock)
        self._server = server
        self._streams = Streams()
        self._heard = dict.fromkeys(RESOURCES, 0)
        self.cache = Cache()
        now = self._clock.now
        guard = Guard(api, (), now)
        self.reconciler = Reconciler(api, self.cache, POLICY, now, lambda _: None, guard)
        self.due: dict[Key, datetime] = {}
        self._watcher = Watcher(self.cache, self._streams, self._enqueue)

    async def start(self) -> None:
        """The first list."""
        self._heard = dict.fromkeys(RESOURCES, len(self._server.changes))
        for key in await relist(self._api, self.cache, self._streams):
            self._enqueue(key)

    def deliver(self, *, deaf: frozenset[str] = frozenset()) -> bool:
        """Delivers what the watch streams hold, except for the kinds whose streams lag behind.

        Returns whether there was anything.
        """
        heard = False
        for kind in (kind for kind in RESOURCES if kind not in deaf):
            for event, body in self._told(kind):
                self._watcher.observe(kind, event == "DELETED", body)
                heard = True
        return heard

    def _told(self, kind: str) -> Iterator[tuple[str, dict[str, object]]]:
        since, self._heard[kind] = self._heard[kind], len(self._server.changes)
        selectors = KINDS[kind].watched or {}
        return self._server.watch(kind, since, selectors)

    def next_due(self) -> datetime | None:
        """When a job is looked at again even if nothing happens."""
        return min(self.due.values(), default=None)

    async def work(self) -> bool:
        """Reconcile one job that is due. Returns whether there was one."""
        ready = sorted(key for key, due in self.due.items() if due <= self._server.now)
        if not ready:
            return False
        key = ready[0]
        del self.due[key]
        try:
            again = await self.reconciler.reconcile(key)
        except ClusterError:
            self._enqueue(key, BACKOFF)
        else:
            if again is not None:
                self._enqueue(key, timedelta(seconds=again))
        return True

    def _enqueue(self, key: Key, after: timedelta = timedelta(0)) -> None:
        due = self._server.now + after
        self.due[key] = min(due, self.due.get(key, due))
