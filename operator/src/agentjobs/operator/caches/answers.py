"""Answers doubts: takes what the API server says into the caches, also that something is gone."""

from __future__ import annotations

from typing import Any

from agentjobs.api import names
from agentjobs.cluster.client import Api, find
from agentjobs.core.doubts import Look
from agentjobs.operator.caches.cache import NO_JOB, Cache
from agentjobs.operator.caches.fresh import pages
from agentjobs.operator.caches.table import Key


async def answer(api: Api, cache: Cache, key: Key, look: Look) -> None:
    """Brings the caches up to date with one question; texts are read by `sources`.

    Raises ClusterError.
    """
    match look.subject:
        case "approvals":
            await _approvals(api, cache, key)
        case "packages":
            await _packages(api, cache, key)
        case "run":
            await _one(api, cache, "run", key, look.name)
        case "batchjob":
            await _one(api, cache, "batchjob", key, look.name)
        case "batchjobs":
            await _all(api, cache, "batchjob", key[0], labelSelector=f"{names.JOB_LABEL}={key[1]}")
        case "pods":
            selector = f"batch.kubernetes.io/job-name={look.name},{names.JOB_LABEL}"
            await _all(api, cache, "pod", key[0], labelSelector=selector)
        case "texts":
            pass


async def _approvals(api: Api, cache: Cache, key: Key) -> None:
    known = cache.approvals.of(key)
    found = await _all(api, cache, "approval", key[0], fieldSelector=f"spec.jobName={key[1]}")
    for approval in known:
        if approval.name not in found:
            cache.approvals.drop((key[0], approval.name))


async def _packages(api: Api, cache: Cache, key: Key) -> None:
    known = cache.package_approvals.of((key[0], NO_JOB))
    found = await _all(api, cache, "packageapproval", key[0])
    for approval in known:
        if approval.name not in found:
            cache.package_approvals.drop((key[0], approval.name))


async def _one(api: Api, cache: Cache, kind: str, key: Key, name: str) -> None:
    body = await find(api, kind, key[0], name)
    if body is None:
        cache.table(kind).drop((key[0], name))
    elif kind == "run":
        cache.learn(kind, body)
    else:
        cache.learn_batch_job(key, body)


async def _all(api: Api, cache: Cache, kind: str, namespace: str, **selectors: str) -> set[str]:
    """Returns the names of all objects in a list; they enter the cache once it is complete."""
    found: dict[str, tuple[int, Any]] = {}
    async for page in pages(api, cache, kind, namespace, **selectors):
        for body in page["items"] or ():
            found[body["metadata"]["name"]] = (
                int(body["metadata"]["resourceVersion"]),
                cache.read(kind, body),
            )
    for name, (version, view) in found.items():
        cache.saw_version(kind, version)
        if view is not None:
            cache.table(kind).put_view(namespace, name, version, view)
    return set(found)
