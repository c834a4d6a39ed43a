"""Lists that are not of the past.

The API server answers a list as of the moment at which it was asked. If one does not, behind a
cache or a server that lags, it would make us forget a denial that a watch has told, or believe in
an approval that is withdrawn. So a list is compared with what was known when it was asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from agentjobs.cluster.client import Api, Json
from agentjobs.core.errors import Outdated
from agentjobs.operator.caches.cache import Cache


async def pages(
    api: Api, cache: Cache, kind: str, namespace: str = "", accept: str = "application/json", **selectors: str
) -> AsyncIterator[Json]:
    """As `Api.list`. Raises Outdated when the list is older than what is known.

    Its version may come last, so nothing of a list may be believed before its end.
    """
    known = cache.newest(kind)
    async for page in api.list(kind, namespace, accept=accept, **selectors):
        version = (page.get("metadata") or {}).get("resourceVersion")
        if version and int(version) < known:
            raise Outdated(f"the list of {kind} is older than what was seen before: {version}, not {known}")
        yield page
