"""The watch streams: what Kopf delivers goes into the caches and the queue."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, Final

import kopf

from agentjobs.api import names
from agentjobs.api.kinds import WATCHED
from agentjobs.core.content.packages import package_approval_view
from agentjobs.core.errors import ClusterError
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.caches.table import Key

log = logging.getLogger(__name__)

RESOURCES: Final = {
    short: (kind.group, kind.version, kind.plural) for short, kind in WATCHED.items()
}
KINDS: Final = {plural: kind for kind, (*_, plural) in RESOURCES.items()}
LIST_CHUNK: Final = 100
"""Bodies hold scripts of up to 256 KiB, and Kopf lists them whole when a stream begins."""
IDLE_SECONDS: Final = 0.1
"""Kopf's task for an object keeps its last body for this long after the last event."""
OURS: Final = frozenset(plural for group, _, plural in RESOURCES.values() if group == names.GROUP)
SERVED_SECONDS: Final = 1.0
"""Between two checks whether our kinds are served."""
BACKOFFS: Final = (1.0, 2.0, 5.0, 10.0)
"""Seconds between the tries of a request; the last one repeats forever."""
Enqueue = Callable[[Key], None]


class Watcher:
    """Turns watch events into cached views and keys."""

    def __init__(self, cache: Cache, streams: Streams, enqueue: Enqueue) -> None:
        self._cache = cache
        self._streams = streams
        self._enqueue = enqueue

    def observe(self, kind: str, deleted: bool, body: dict[str, Any]) -> None:
        """Takes in one event.

        A run that is deleted from its stream was deleted or is finished: `finished` knows which.
        """
        metadata = body["metadata"]
        row, version = (metadata["namespace"], metadata["name"]), int(metadata["resourceVersion"])
        self._streams.saw(kind, version)
        self._cache.saw_version(kind, version)
        if kind == "cronjob":
            self._enqueue((row[0], (metadata.get("labels") or {}).get(names.JOB_LABEL) or row[1]))
            return
        if kind == "source":
            for job in self._cache.sources.saw(row, version, deleted=deleted):
                self._enqueue(job)
            return
        table = self._cache.table(kind)
        # A reconcile reads its job again and writes the status only on top of what it read: what it
        # knows by then is not news.
        news = deleted or kind != "job" or table.version(row) < version
        if deleted and table.version(row) > version:
            # Another object of that name, which an answer to our own request has already shown.
            return
        key = self._cache.gone(kind, body) if deleted else self._cache.take(kind, body)
        if kind == "packageapproval":
            for user in self._cache.uses.of(row[0], package_approval_view(body).packages):
                self._enqueue(user)
        elif key is not None and news:
            self._enqueue(key)

    def listed(self, plural: str, version: int) -> None:
        """Notes the list that a stream begins with.

        Nothing of this version or an older one is delivered later; it may be gone by now.
        """
        if plural in KINDS:
            self._streams.saw(KINDS[plural], version)


def register(registry: kopf.OperatorRegistry, watcher: Watcher) -> None:
    """Registers one handler for each kind.

    Kopf swallows what a handler raises, so these only record and enqueue.
    """
    for kind, (group, version, plural) in RESOURCES.items():
        kopf.on.event(group, version, plural, id=f"watch-{kind}", registry=registry)(
            _handler(kind, watcher)
        )


def _handler(kind: str, watcher: Watcher) -> Callable[..., Coroutine[None, None, None]]:
    # A coroutine: Kopf would run a plain function in a thread, and the caches belong to the event
    # loop.
    async def handle(event: dict[str, Any], **_: object) -> None:
        try:
            watcher.observe(kind, event["type"] == "DELETED", event["object"])
        except Exception:
            # Kopf's own log line would quote the message.
            log.exception("a watch event of the kind %s could not be processed", kind)

    return handle


async def all_served(served: Callable[[str, str], Awaitable[frozenset[str]]]) -> None:
    """Waits until the API server serves all our kinds.

    Kopf never watches one that is not served when it begins.
    """
    logged = False
    while True:
        try:
            missing = OURS - await served(names.GROUP, names.VERSION)
        except ClusterError as error:
            missing, why = OURS, f": {error}"
        else:
            why = ""
        if not missing:
            return
        if not logged:
            log.warning(
                "the API server does not serve %s yet; watches start when it does%s",
                ", ".join(sorted(missing)),
                why,
            )
            logged = True
        await asyncio.sleep(SERVED_SECONDS)


class _NoDiff(kopf.DiffBaseStorage):
    """Kopf copies every body to find out what changed since a handler succeeded.

    There are no such handlers here.
    """

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None
    ) -> kopf.BodyEssence:
        return {}

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Stores nothing."""


class _Forever:
    """The back-offs, without an end: Kopf ends the operator after the last one."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain(BACKOFFS, itertools.repeat(BACKOFFS[-1]))


def settings(stream_seconds: int) -> kopf.OperatorSettings:
    """Settings that make Kopf a source of events only: it writes, annotates and scans nothing.

    `stream_seconds`: how long one watch request may last before it is made again.
    """
    result = kopf.OperatorSettings()
    result.posting.enabled = False
    result.scanning.disabled = True
    result.peering.standalone = True
    result.networking.error_backoffs = _Forever()
    result.watching.server_timeout = stream_seconds
    result.watching.chunk_size = LIST_CHUNK
    result.queueing.idle_timeout = IDLE_SECONDS
    result.persistence.diffbase_storage = _NoDiff()
    result.process.ultimate_exiting_timeout = 5.0
    for kind, selectors in ((short, kind.watched or {}) for short, kind in WATCHED.items()):
        if "labelSelector" in selectors:
            result.watching.label_selectors[RESOURCES[kind]] = selectors["labelSelector"]
        if "fieldSelector" in selectors:
            result.watching.field_selectors[RESOURCES[kind]] = selectors["fieldSelector"]
    return result
