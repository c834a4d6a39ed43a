"""Honest people meanwhile: one in another namespace, who writes, approves and runs."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from tests.cluster.attacks.moves import API
from tests.support import manifests

FINAL: Final = frozenset({"Succeeded", "Failed", "TimedOut", "Skipped", "Missed", "Cancelled"})
PATIENCE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.1


@dataclass
class Honest:
    """Changes a job, approves it, runs it and reads its output, again and again.

    Times in seconds.
    """

    client: Client
    namespace: str
    approvals: list[float] = field(default_factory=list)
    """From an approval to its CronJob."""
    runs: list[float] = field(default_factory=list)
    """From a start by hand to its record."""
    problems: list[str] = field(default_factory=list)

    async def once(self, number: int) -> None:
        """One round. What goes wrong is a problem, and the next round begins."""
        said = f"honest {number} {secrets.token_hex(4)}"
        try:
            digest = await written(self.client, self.namespace, "honest", f"print({said!r})\n")
            began = time.monotonic()
            await self.client.post(
                f"{API}/{self.namespace}/agentjobapprovals", decision("honest", digest, "Approved")
            )
            await until(
                lambda: in_force(self.client, self.namespace, "honest", digest),
                f"round {number}: the approval takes effect",
            )
            self.approvals.append(time.monotonic() - began)
            name, began = f"honest-{number}", time.monotonic()
            await self.client.post(
                f"{API}/{self.namespace}/agentjobruns", manifests.run(name, "honest")
            )
            status = await until(
                lambda: record(self.client, self.namespace, name), f"round {number}: the run ends"
            )
            self.runs.append(time.monotonic() - began)
            if status["phase"] != "Succeeded" or status["stdout"] != f"{said}\n":
                self.problems.append(
                    f"round {number}: {status['phase']} {status.get('reason')}"
                    f" {status.get('message', '')[:100]}"
                )
        except (ClusterProblem, TimeoutError) as error:
            self.problems.append(f"round {number}: {error}")


async def written(client: Client, namespace: str, name: str, script: str, **spec: object) -> str:
    """A job with this script, new or changed; returns the digest on its card."""
    body = manifests.job(name, script={"inline": script}, **spec)
    try:
        job = await client.post(f"{API}/{namespace}/scheduledagentjobs", body)
    except ClusterProblem as error:
        if error.status != 409:
            raise
        await client.patch(f"{API}/{namespace}/scheduledagentjobs/{name}", {"spec": body["spec"]})
        job = await client.get(f"{API}/{namespace}/scheduledagentjobs/{name}")
    generation = job["metadata"]["generation"]

    async def card() -> str | None:
        found = await client.get(f"{API}/{namespace}/scheduledagentjobs/{name}")
        status = found.get("status", {})
        fresh = status.get("observedGeneration", 0) >= generation
        return str(status["card"]["digest"]) if fresh and status.get("card") else None

    return str(await until(card, f"{name} has a card"))


def decision(job: str, digest: str, word: str) -> Json:
    """An AgentJobApproval that tells its content in its name."""
    return manifests.approval(
        f"{job}-{word.lower()}-{digest[:16]}", jobName=job, digest=digest, decision=word
    )


async def in_force(client: Client, namespace: str, name: str, digest: str) -> bool:
    """Whether the CronJob has this content."""
    try:
        cron = await client.get(f"apis/batch/v1/namespaces/{namespace}/cronjobs/{name}")
    except ClusterProblem:
        return False
    return bool(cron["metadata"].get("annotations", {}).get("agentjobs.dev/digest") == digest)


async def record(client: Client, namespace: str, name: str) -> Json | None:
    """The status of a run that is over."""
    status: Json = (await client.get(f"{API}/{namespace}/agentjobruns/{name}")).get("status", {})
    return status if status.get("phase") in FINAL else None


async def until(asked: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> Json:
    """The first answer that says yes. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        found = await asked()  # type: ignore[misc]
        if found:
            return found  # type: ignore[no-any-return]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(POLL_SECONDS)
