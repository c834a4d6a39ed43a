"""What must hold whatever is tried.

It is looked at again and again, from the API server and its audit log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agentjobs.core.wire.bodies import read
from agentjobs.core.wire.items import Items
from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json, Watch
from agentjobs.testing.real_cluster.operator_pod import OperatorPod
from tests.cluster.attacks.moves import API

DENIED_SECONDS: Final = 20.0
"""How long after a denial something of that content may still be going on: the script has 5 s to
end, its runner lingers 15 s."""
FORBIDDEN: Final = frozenset(
    {"agentjobapprovals", "packageapprovals", "jobs", "cronjobs", "pods", "leases"}
)


@dataclass
class Judge:
    """`approved`: digest to the output that its script prints.

    `denied`: digest to the monotonic time of its denial.
    """

    client: Client
    operator: OperatorPod
    system: str
    namespace: str
    approved: dict[str, str] = field(default_factory=dict)
    denied: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    """By uid: the phases of the runs that were seen."""
    health: list[float] = field(default_factory=list)
    renewals: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    pod: Json | None = None

    async def look(self) -> None:
        """Once at everything."""
        await self._operator()
        for job in await listed(self.client, f"apis/batch/v1/namespaces/{self.namespace}/jobs"):
            self._job(job)
        for run in await listed(self.client, f"{API}/{self.namespace}/agentjobruns"):
            self._run(run)

    async def _operator(self) -> None:
        try:
            pod = await self.operator.find()
            began = time.monotonic()
            proxy = f"api/v1/namespaces/{self.system}/pods/{pod['metadata']['name']}:8080/proxy"
            await self.client.request("GET", f"{proxy}/healthz")
            self.health.append(time.monotonic() - began)
            text = (await self.client.request("GET", f"{proxy}/metrics")).decode()
            self.memory += [
                float(line.split()[1])
                for line in text.splitlines()
                if line.startswith("process_resident_memory_bytes ")
            ]
            lease = await self.client.get(
                f"apis/coordination.k8s.io/v1/namespaces/{self.system}/leases/agentjobs-operator"
            )
        except ClusterProblem as error:
            self.note(f"the operator does not answer: {error}")
            return
        self.renewals.append(
            (datetime.now(UTC) - datetime.fromisoformat(lease["spec"]["renewTime"])).total_seconds()
        )
        self.pod = self.pod or pod
        if (
            pod["metadata"]["uid"] != self.pod["metadata"]["uid"]
            or pod["status"]["containerStatuses"][0]["restartCount"]
        ):
            self.note("the operator was restarted")
        if lease["spec"]["holderIdentity"] != pod["metadata"]["name"]:
            self.note(f"{lease['spec']['holderIdentity']} holds the lease")

    def _job(self, job: Json) -> None:
        metadata, spec, status = job["metadata"], job["spec"], job.get("status", {})
        digest = (metadata.get("annotations") or {}).get("agentjobs.dev/digest", "none")
        if digest not in self.approved:
            self.note(
                f"the Job {metadata['name']} has the digest {digest[:16]}, which nobody approved"
            )
        since = self.denied.get(digest)
        going = not spec.get("suspend") and status.get("active", 0) > 0
        if going and since is not None and time.monotonic() - since > DENIED_SECONDS:
            self.note(
                f"the Job {metadata['name']} goes on {time.monotonic() - since:.0f} s after its"
                " content was denied"
            )

    def _run(self, run: Json) -> None:
        status: Any = run.get("status") or {}
        phase, digest = status.get("phase", ""), status.get("digest")
        self.records[run["metadata"]["uid"]] = phase
        name = run["metadata"]["name"]
        if phase == "Succeeded" and status.get("stdout") != self.approved.get(digest):
            self.note(
                f"the record of {name} says what no approved script printed:"
                f" {status.get('stdout', '')[:60]!r}"
            )
        if digest and digest not in self.approved:
            self.note(f"the record of {name} names a digest that nobody approved")

    def started(self, watch: Watch) -> None:
        """Of every Job that there was, also of those that are gone."""
        for seen in watch.events:
            digest = (seen.object["metadata"].get("annotations") or {}).get(
                "agentjobs.dev/digest", "none"
            )
            if digest not in self.approved:
                self.note(
                    f"the Job {seen.name} had the digest {digest[:16]}, which nobody approved"
                )

    def audited(self, log: Path, start: int, users: set[str]) -> int:
        """Notes attackers' writes that the API server should have refused.

        Returns how many of all their requests the log reports.
        """
        count = 0
        for request in requests(log, start):
            if request.get("impersonatedUser", {}).get("username") not in users:
                continue
            count += 1
            thing, code = (
                request.get("objectRef", {}),
                request.get("responseStatus", {}).get("code", 0),
            )
            forbidden = (
                thing.get("resource") in FORBIDDEN
                or thing.get("subresource")
                or thing.get("namespace") != self.namespace
            )
            if forbidden and code < 300 and request["verb"] not in ("get", "list", "watch"):
                self.note(
                    f"the API server took {request['verb']}"
                    f" {thing.get('namespace')}/{thing.get('resource')}/{thing.get('name')}"
                )
        return count

    def note(self, problem: str) -> None:
        """Once."""
        if problem not in self.problems:
            self.problems.append(problem)


def requests(log: Path, start: int) -> Iterator[Json]:
    """Those that ended, from this place of an audit log on."""
    with log.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"}\n") and b'"stage":"ResponseComplete"' in line:
                yield json.loads(line)


async def listed(client: Client, path: str) -> list[Json]:
    """All objects; of those that cannot be read what is left of them."""
    found: list[Json] = []
    token = ""
    while True:
        items = Items()
        query = {"limit": "50", **({"continue": token} if token else {})}
        texts = [*items.feed(await client.request("GET", path, None, **query)), *items.finish()]
        found += [read(text) for text in texts]
        token = (items.around().get("metadata") or {}).get("continue", "")
        if not token:
            return found
