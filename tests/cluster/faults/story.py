"""All that happened in one namespace, as the API server reported it to somebody who only looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from agentjobs.api import names
from agentjobs.testing.real_cluster.client import Client, Json, Seen, Watch

OURS: Final = f"apis/{names.API_VERSION}/namespaces/{{0}}"
PATHS: Final = {
    "job": f"{OURS}/scheduledagentjobs",
    "run": f"{OURS}/agentjobruns",
    "approval": f"{OURS}/agentjobapprovals",
    "cronjob": "apis/batch/v1/namespaces/{0}/cronjobs",
    "batchjob": "apis/batch/v1/namespaces/{0}/jobs",
    "pod": "api/v1/namespaces/{0}/pods",
    "configmap": "api/v1/namespaces/{0}/configmaps",
}
POLL_SECONDS: Final = 0.05


class StoryError(AssertionError):
    """What was waited for did not come; the message says what was missing."""


@dataclass(frozen=True)
class Story:
    """One watch for each kind, from when the namespace was empty."""

    namespace: str
    watches: dict[str, Watch]

    def events(self, kind: str) -> list[Seen]:
        return self.watches[kind].events

    def lives(self, kind: str) -> Iterator[list[Seen]]:
        """The events of each object that ever was, by uid, first to last."""
        found: dict[str, list[Seen]] = {}
        for seen in self.events(kind):
            found.setdefault(seen.object["metadata"]["uid"], []).append(seen)
        return iter(found.values())

    def now(self, kind: str) -> dict[str, Json]:
        """What is there, by name."""
        found: dict[str, Json] = {}
        for seen in self.events(kind):
            if seen.type == "DELETED":
                found.pop(seen.name, None)
            else:
                found[seen.name] = seen.object
        return found

    async def until(self, missing: Callable[[Story], str], seconds: float) -> None:
        """Until nothing is missing. Raises StoryError with what was missing last."""
        deadline = monotonic() + seconds
        while said := missing(self):
            for watch in self.watches.values():
                if watch.failure:
                    raise watch.failure
            if monotonic() > deadline:
                raise StoryError(f"not within {seconds:g} s: {said}")
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def told(client: Client, namespace: str) -> AsyncIterator[Story]:
    """From now on, when the namespace is still empty."""
    async with AsyncExitStack() as stack:
        watches = {
            kind: await stack.enter_async_context(client.watch(path.format(namespace)))
            for kind, path in PATHS.items()
        }
        yield Story(namespace, watches)
