"""The operator's own pod: its metrics, what the kubelet says of its memory, and restarting it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from agentjobs.testing.real_cluster.settings import configuration

SELECTOR: Final = "app.kubernetes.io/component=operator"
POLL_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 3.0
"""An operator that has reconciled nothing for this long has nothing left to do."""


@dataclass(frozen=True)
class Vitals:
    """What the process says of itself, in one answer.

    Memory in bytes, `cpu` in seconds since its start, `started` since 1970.
    """

    started: float
    cpu: float
    rss: float
    reconciles: float
    requests: float
    queue: float
    leading: bool


def vitals(text: str) -> Vitals:
    """From the metrics' text form. A counter without labels that has counted nothing yet is 0."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name = series.partition("{")[0]
            values[name] = values.get(name, 0.0) + float(value)
    return Vitals(
        started=values["process_start_time_seconds"],
        cpu=values["process_cpu_seconds_total"],
        rss=values["process_resident_memory_bytes"],
        reconciles=values.get("agentjobs_reconciles_total", 0.0),
        requests=values.get("agentjobs_api_requests_total", 0.0),
        queue=values["agentjobs_queue_length"],
        leading=values["agentjobs_leading"] == 1.0,
    )


@dataclass(frozen=True)
class Settled:
    """An operator that has done everything there was to do.

    `took`: seconds from the start of its process to the last reconcile seen.

    `most`: the most resident memory seen meanwhile, in bytes.
    """

    vitals: Vitals
    took: float
    most: float


class OperatorPod:
    """In the namespace of its release."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._pods = f"api/v1/namespaces/{namespace}/pods"

    async def find(self) -> Json:
        """The pod that runs. Raises ClusterProblem when there is none, or more than one."""
        found = (await self._client.get(self._pods, labelSelector=SELECTOR))["items"]
        running = [
            pod
            for pod in found
            if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] == "Running"
        ]
        if len(running) != 1:
            raise ClusterProblem(
                f"{len(running)} operator pods run in {self._namespace}; one is needed: make"
                " install"
            )
        pod: Json = running[0]
        return pod

    async def images(self) -> tuple[str, str]:
        """The operator's and the runner's."""
        container = (await self.find())["spec"]["containers"][0]
        settings = await configuration(self._client, self._namespace)
        return container["image"], settings["runner"]["image"]

    async def user(self) -> str:
        """As the API server's audit log names it."""
        account = (await self.find())["spec"]["serviceAccountName"]
        return f"system:serviceaccount:{self._namespace}:{account}"

    async def vitals(self) -> Vitals:
        """Read through the API server."""
        name = (await self.find())["metadata"]["name"]
        path = f"{self._pods}/{name}:8080/proxy/metrics"
        return vitals((await self._client.request("GET", path)).decode())

    async def working_set(self, seconds: float = 60) -> float:
        """Bytes, as the kubelet counts them for evictions and `kubectl top`.

        They are measured after this was asked, which takes some 10 s.
        """
        pod, asked, deadline = await self.find(), time.time(), time.monotonic() + seconds
        path = f"api/v1/nodes/{pod['spec']['nodeName']}/proxy/stats/summary"
        while time.monotonic() < deadline:
            stats = await self._client.get(path)
            uid = pod["metadata"]["uid"]
            found: Json = next((pod for pod in stats["pods"] if pod["podRef"]["uid"] == uid), {})
            containers = found.get("containers") or [{}]
            memory = containers[0].get("memory")
            if memory and datetime.fromisoformat(memory["time"]).timestamp() > asked:
                return float(memory["workingSetBytes"])
            await asyncio.sleep(1)
        raise ClusterProblem(
            f"the kubelet measured no memory of {pod['metadata']['name']} within {seconds:g} s"
        )

    async def settled(
        self, seconds: float, enough: Callable[[Vitals], bool] = lambda _: True
    ) -> Settled:
        """Once it leads, has done `enough`, its queue is empty and nothing happens any more.

        Raises ClusterProblem.
        """
        deadline = time.monotonic() + seconds
        last, changed_at, changed, most = None, 0.0, time.monotonic(), 0.0
        while time.monotonic() < deadline:
            now = await self._vitals_if_up()
            if now and (last is None or now.reconciles != last.reconciles):
                changed_at, changed = time.time(), time.monotonic()
            last, most = now or last, max(most, now.rss if now else 0.0)
            quiet = time.monotonic() - changed > QUIET_SECONDS
            if quiet and now and now.leading and not now.queue and enough(now):
                return Settled(now, changed_at - now.started, most)
            await asyncio.sleep(POLL_SECONDS)
        raise ClusterProblem(f"the operator did not settle within {seconds:g} s; last seen: {last}")

    async def _vitals_if_up(self) -> Vitals | None:
        try:
            return await self.vitals()
        except ClusterProblem:
            return None

    async def restart(self) -> None:
        """Ends the process before it starts a new one, which then need not wait for the Lease."""
        await self._scale(0)
        await self._scale(1)

    async def _scale(self, replicas: int) -> None:
        deployments = f"apis/apps/v1/namespaces/{self._namespace}/deployments"
        found = (await self._client.get(deployments, labelSelector=SELECTOR))["items"]
        name = found[0]["metadata"]["name"]
        await self._client.patch(f"{deployments}/{name}/scale", {"spec": {"replicas": replicas}})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pods = (await self._client.get(self._pods, labelSelector=SELECTOR))["items"]
            if len(pods) == replicas:
                return
            await asyncio.sleep(POLL_SECONDS)
        raise ClusterProblem(f"the operator's Deployment did not reach {replicas} pods within 60 s")

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """No pod operates meanwhile; whatever happens, one does afterwards."""
        async with self.kept():
            await self._scale(0)
            yield

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Whatever happens, the operator runs afterwards."""
        try:
            yield
        finally:
            await self._scale(1)
