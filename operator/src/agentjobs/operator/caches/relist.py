"""Reads everything again: at start, and from time to time.

A watch that has to begin again after a gap (410 Gone) never delivers what was deleted meanwhile.
Comparing lists shows it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from agentjobs.api import names
from agentjobs.api.kinds import FINAL_PHASES, RELISTED
from agentjobs.cluster.client import METADATA_LIST, TABLE, Api
from agentjobs.core.errors import Unlisted
from agentjobs.core.views.run import FinishedRun
from agentjobs.operator.caches import sources
from agentjobs.operator.caches.cache import NO_JOB, Cache
from agentjobs.operator.caches.finished import finished_rows
from agentjobs.operator.caches.fresh import pages
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.caches.table import Key

FINISHED_RUNS: Final = "status.phase!=Pending,status.phase!=Running"
REVISIONS: Final = f"{names.JOB_LABEL},{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
"""Not watched: they never change, and a list now and then shows which are left over."""


async def relist(cluster: Api, cache: Cache, streams: Streams) -> set[Key]:
    """Brings the cache in line with the cluster.

    Returns the keys of all jobs, and of those for which something changed.

    Raises Unlisted where the list of a kind failed; what the other lists showed is in the cache
    then, and is not news again.
    """
    now = asyncio.get_running_loop().time()
    texts = RELISTED[sources.KIND]["labelSelector"]
    lists = {
        **{kind: _kind(cluster, cache, streams, kind) for kind in RELISTED if kind != sources.KIND},
        sources.KIND: sources.relist(cluster, cache.sources, streams, texts, now),
        "revision": _revisions(cluster, cache),
        "finished": _finished(cluster, cache),
    }
    answers = await asyncio.gather(*lists.values(), return_exceptions=True)
    found = dict(zip(lists, answers, strict=True))
    listed = [one for one in found.values() if not isinstance(one, BaseException)]
    keys = {key for one in listed for key in one if key[1] != NO_JOB}
    if errors := {kind: one for kind, one in found.items() if isinstance(one, Exception)}:
        raise Unlisted(errors, keys)
    return keys


async def _kind(cluster: Api, cache: Cache, streams: Streams, kind: str) -> set[Key]:
    table = cache.table(kind)
    table.relisted()
    before = {row: table.version(row) for row in table}
    seen: set[Key] = set()
    keys: set[Key] = set()
    news: list[tuple[Key, int, Any]] = []
    newest = 0
    accept = METADATA_LIST if kind == "job" else "application/json"
    async for page in pages(cluster, cache, kind, accept=accept, **RELISTED[kind]):
        for body in page["items"] or ():
            row = body["metadata"]["namespace"], body["metadata"]["name"]
            seen.add(row)
            version = int(body["metadata"]["resourceVersion"])
            newest = max(newest, version)
            if table.version(row) < version:
                news.append((row, version, cache.read(kind, body)))
            elif kind == "job":
                keys.add(row)
    streams.listed(kind, newest, asyncio.get_running_loop().time())
    cache.saw_version(kind, newest)
    keys |= {table.put_view(*row, version, view) for row, version, view in news if view is not None}
    # Only what was known before the list began: an object that came since then is simply not in it.
    for row, version in before.items():
        if row not in seen and table.version(row) == version and (key := table.drop(row)):
            keys.add(key)
    return keys


async def _revisions(cluster: Api, cache: Cache) -> set[Key]:
    """Lists the revisions; returns the keys of their jobs.

    Revisions may be all that is left of a deleted job.
    """
    before = {row: cache.revisions.version(row) for row in cache.revisions}
    seen: set[Key] = set()
    keys: set[Key] = set()
    async for page in cluster.list("revision", accept=METADATA_LIST, labelSelector=REVISIONS):
        for body in page["items"] or ():
            seen.add((body["metadata"]["namespace"], body["metadata"]["name"]))
            if key := cache.take("revision", body):
                keys.add(key)
    for row, version in before.items():
        if row not in seen and cache.revisions.version(row) == version:
            cache.revisions.drop(row)
    return keys


async def _finished(cluster: Api, cache: Cache) -> set[Key]:
    finished = cache.finished
    # The list may be long: nothing is kept of a line that is known already, not even for a moment.
    missing = {row: finished.version(row) for row in finished}
    news: list[tuple[FinishedRun, int]] = []
    async for page in pages(
        cluster, cache, "run", accept=TABLE, fieldSelector=FINISHED_RUNS, includeObject="Metadata"
    ):
        for run, version in finished_rows(page, finished):
            # The selector lets an empty phase through, too: the operator has not seen that run yet.
            if run.phase in FINAL_PHASES:
                missing.pop((run.namespace, run.name), None)
                if finished.get((run.namespace, run.name)) is not run:
                    news.append((run, version))
    for run, version in news:
        if finished.version((run.namespace, run.name)) < version:
            cache.finish(run, version)
    for row, version in missing.items():
        if finished.version(row) == version:
            cache.forget_finished(row)
    # One job of each namespace enforces its budget, even where no job is left.
    return set({run.namespace: (run.namespace, run.job) for run in finished.all()}.values())
