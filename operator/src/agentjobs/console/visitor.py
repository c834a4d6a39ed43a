"""Who asks, and the API server as they see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentjobs.cluster.client import Cluster


@dataclass(frozen=True)
class Visitor:
    """A person who is known to the API server.

    `namespace`: where to look if nothing else is asked for; empty for all namespaces.
    """

    name: str
    cluster: Cluster
    namespace: str = ""


class Door(Protocol):
    """How people come in. One of these for each way in which a console can know its visitors."""

    routes: Sequence[Route]
    """Pages for those who are not known yet."""

    def admits(self, host: str) -> bool:
        """Whether requests may be addressed to this host."""

    async def visitor(self, request: Request) -> Visitor | Response:
        """The person who asks, or what they get instead of the page."""
