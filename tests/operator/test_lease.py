"""The lease is given back even if the last renewal, no longer awaited, arrives after all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from agentjobs.cluster.client import Cluster, Json
from agentjobs.core.plan import Write
from agentjobs.operator.lease import Leadership
from agentjobs.testing.server import Server

ROW = ("lease", "system", "agentjobs-operator")


class LateRenewals(Server):
    """So many renewals are put into effect right after the lease was read."""

    late = 0

    async def get(
        self,
        kind: str,
        namespace: str,
        name: str,
        *,
        accept: str = "application/json",
        seconds: float = 0,
    ) -> Json:
        found = await super().get(kind, namespace, name, accept=accept)
        if self.late:
            self.late -= 1
            self.patch(ROW, spec=found["spec"] | {"renewTime": f"renewed-{self.late}"})
        return found

    async def write(self, namespace: str, write: Write, *, seconds: float = 0) -> Json:
        return await super().write(namespace, write)


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize(("holder", "left"), [("me", ""), ("another", "another")])
def test_a_lease_of_ours_is_given_back(late: int, holder: str, left: str) -> None:
    server = LateRenewals(datetime(2026, 11, 22, tzinfo=UTC))
    spec: dict[str, Any] = {
        "holderIdentity": holder,
        "leaseDurationSeconds": 15,
        "renewTime": "before",
    }
    server.create("lease", "system", {"metadata": {"name": "agentjobs-operator"}, "spec": spec})
    server.late = late
    asyncio.run(
        Leadership(
            cast("Cluster", server), name="agentjobs-operator", namespace="system", identity="me"
        ).release()
    )
    assert server.objects[ROW]["spec"]["holderIdentity"] == left
