"""Lists that are not older than what is known.

The API server answers a list as of the moment of the request. One that answers from a cache, or
lags, would make us forget a denial that a watch has delivered, or believe in an approval that is
withdrawn. So a list is compared with what was known when it was requested.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from agentjobs.cluster.client import Api, Json
from agentjobs.core.errors import Outdated
from agentjobs.operator.caches.cache import Cache


async def pages(
    api: Api,
    cache: Cache,
    kind: str,
    namespace: str = "",
    accept: str = "application/json",
    **selectors: str,
) -> AsyncIterator[Json]:
    """The pages of a list, as `Api.list` yields them.

    Raises Outdated when the list is older than what is known.

    Its version may come last, so do not believe anything in a list before its end.
    """
    known = cache.newest(kind)
    async for page in api.list(kind, namespace, accept=accept, **selectors):
        version = (page.get("metadata") or {}).get("resourceVersion")
        if version and int(version) < known:
            raise Outdated(
                f"the list of {kind} has version {version}, which is older than version {known},"
                " which was seen before"
            )
        yield page
