"""ConfigMaps that jobs take texts from: which jobs, which versions, and the few texts read last.

A text is read when the watch has delivered a new version, and again before a content comes into
force; otherwise it is remembered.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from agentjobs.cluster.client import METADATA_LIST, Api, Json, find
from agentjobs.core.content.sources import Reference, Sources, Unusable, text_of
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.caches.table import Key

KIND: Final = "source"
REMEMBERED_BYTES: Final = 4 * 1024 * 1024
"""Room for texts in memory: sixteen of the longest, or a thousand usual ones."""


class SourceCache:
    """Versions of ConfigMaps and some of their texts.

    Belongs to one event loop. Keys are the namespace and name of a job or ConfigMap.
    """

    def __init__(self, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self._versions: dict[Key, int] = {}
        self._used: dict[Key, frozenset[Key]] = {}
        self._users: dict[Key, set[Key]] = defaultdict(set)
        self._texts: OrderedDict[tuple[Key, str], tuple[int, str]] = OrderedDict()
        self._room = remembered_bytes

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._versions))

    def version(self, row: Key) -> int:
        """The version of a ConfigMap; 0 when none of that name with the label is known."""
        return self._versions.get(row, 0)

    def saw(self, row: Key, version: int, *, deleted: bool = False) -> frozenset[Key]:
        """Notes that a labelled ConfigMap has this version, or is gone.

        Returns the jobs for which that is news.
        """
        known = self.version(row)
        if version < known or (version == known and not deleted):
            return frozenset()
        if deleted:
            self._versions.pop(row, None)
        else:
            self._versions[row] = version
        return frozenset(self._users.get(row, ()))

    def uses(self, job: Key, names: Iterable[str]) -> None:
        """Notes the ConfigMaps that a job refers to; none, when the job is gone."""
        rows = frozenset((job[0], name) for name in names)
        for row in self._used.pop(job, frozenset()) - rows:
            self._users[row].discard(job)
            if not self._users[row]:
                del self._users[row]
        for row in rows:
            self._users[row].add(job)
        if rows:
            self._used[job] = rows

    def remembered(self, namespace: str, reference: Reference) -> str | None:
        """The text of the known version; None where it is not in memory."""
        row = (namespace, reference.name)
        version, text = self._texts.get((row, reference.key), (0, ""))
        if not version or version != self.version(row):
            return None
        self._texts.move_to_end((row, reference.key))
        return text

    def remember(self, namespace: str, reference: Reference, version: int, text: str) -> None:
        """Keeps a text until others need the room."""
        place = (namespace, reference.name), reference.key
        self._room += len(self._texts.pop(place, (0, ""))[1].encode())
        self._room -= len(text.encode())
        self._texts[place] = (version, text)
        while self._room < 0:
            _, (_, oldest) = self._texts.popitem(last=False)
            self._room += len(oldest.encode())


async def read(
    api: Api,
    cache: SourceCache,
    namespace: str,
    wanted: Iterable[Reference],
    *,
    reread: bool = False,
) -> Sources:
    """What these references stand for.

    `reread`: as the API server has it now, whatever is remembered.
    """
    sources: dict[Reference, str | Unusable] = {}
    missing = []
    for reference in wanted:
        text = None if reread else cache.remembered(namespace, reference)
        if text is None:
            missing.append(reference)
        else:
            sources[reference] = text
    names = sorted({reference.name for reference in missing})
    bodies = {name: await find(api, KIND, namespace, name) for name in names}
    for reference in missing:
        sources[reference] = _learned(cache, namespace, reference, bodies[reference.name])
    return sources


def _learned(
    cache: SourceCache, namespace: str, reference: Reference, body: Json | None
) -> str | Unusable:
    text = text_of(body, reference)
    if body is not None and isinstance(text, str):
        version = int(body["metadata"]["resourceVersion"])
        cache.saw((namespace, reference.name), version)
        cache.remember(namespace, reference, version, text)
    return text


async def relist(
    api: Api, cache: SourceCache, streams: Streams, selector: str, now: float
) -> set[Key]:
    """Compares with a list. Returns the jobs that use what changed."""
    before = {row: cache.version(row) for row in cache}
    seen: dict[Key, int] = {}
    async for page in api.list(KIND, accept=METADATA_LIST, labelSelector=selector):
        for body in page["items"] or ():
            metadata = body["metadata"]
            seen[metadata["namespace"], metadata["name"]] = int(metadata["resourceVersion"])
    streams.listed(KIND, max(seen.values(), default=0), now)
    jobs = {job for row, version in seen.items() for job in cache.saw(row, version)}
    # Only what was known before the list began: what came since then is simply not in it.
    gone = [
        (row, version)
        for row, version in before.items()
        if row not in seen and cache.version(row) == version
    ]
    return jobs.union(*(cache.saw(row, version, deleted=True) for row, version in gone))
