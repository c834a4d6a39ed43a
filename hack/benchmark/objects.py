"""What is written to the cluster, and where it is found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from agentjobs.api.event import Event
from agentjobs.core.views.event import digits
from agentjobs.testing.real_cluster.client import Client, Json, Seen, Watch

FAR_AWAY: Final = "0 0 29 2 *"
"""A schedule that does not become due while it is measured, except on a leap day."""
EVERY_MINUTE: Final = "* * * * *"
FINAL: Final = frozenset({"Succeeded", "Failed", "TimedOut", "Skipped", "Missed", "Cancelled"})
IN_FLIGHT: Final = 16
"""Requests at the same time when many objects are written."""
READY_SECONDS: Final = 60.0


def agentjobs(namespace: str, plural: str) -> str:
    """The path of a collection of ours."""
    return f"apis/agentjobs.dev/v1alpha1/namespaces/{namespace}/{plural}"


def jobs(namespace: str) -> str:
    """The path of the ScheduledAgentJobs."""
    return agentjobs(namespace, "scheduledagentjobs")


def runs(namespace: str) -> str:
    """The path of the AgentJobRuns."""
    return agentjobs(namespace, "agentjobruns")


def cron_jobs(namespace: str) -> str:
    """The path of the CronJobs."""
    return f"apis/batch/v1/namespaces/{namespace}/cronjobs"


def _object(kind: str, name: str, spec: Json) -> Json:
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def job(
    name: str, script: str = "print('hello')\n", cron: str | None = FAR_AWAY, **spec: Any
) -> Json:
    """A ScheduledAgentJob; None: without a schedule."""
    schedule = {} if cron is None else {"schedule": {"cron": cron}}
    return _object(
        "ScheduledAgentJob",
        name,
        {"description": "Measures the operator.", "script": {"inline": script}, **schedule, **spec},
    )


def run(name: str, job_name: str) -> Json:
    """A manual run."""
    return _object("AgentJobRun", name, {"jobName": job_name})


def event_run(job_name: str, event: Json) -> Json:
    """A run that an event starts, under the name that is reserved for it."""
    spec = {"jobName": job_name, "trigger": {"type": "Event", "event": event}}
    return _object("AgentJobRun", f"{job_name}-e{digits(Event(**event))}", spec)


def approval(job_name: str, digest: str) -> Json:
    """An AgentJobApproval of this content."""
    return _object(
        "AgentJobApproval",
        f"{job_name}-approved",
        {"jobName": job_name, "digest": digest, "decision": "Approved"},
    )


def card_digest(body: Json) -> str:
    """Of the spec as it is now; empty until the operator has looked at it."""
    status = body.get("status", {})
    if status.get("observedGeneration") != body["metadata"]["generation"]:
        return ""
    return str(status.get("card", {}).get("digest", ""))


def is_ready(body: Json) -> bool:
    """What was asked for is what runs."""
    conditions = body.get("status", {}).get("conditions", ())
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def phase(body: Json) -> str:
    """Empty while there is none."""
    return str(body.get("status", {}).get("phase", ""))


def named(
    name: str, condition: Callable[[Json], object] = lambda _: True
) -> Callable[[Seen], bool]:
    """Whether an event shows this object in this condition."""
    return lambda seen: (
        seen.type != "DELETED" and seen.name == name and bool(condition(seen.object))
    )


async def in_force(client: Client, namespace: str, watch: Watch, bodies: Iterable[Json]) -> None:
    """Jobs written and approved one after another; returns when each is ready.

    `watch` is one of the namespace's jobs.
    """
    for body in bodies:
        name = body["metadata"]["name"]
        await client.post(jobs(namespace), body)
        card = await watch.until(named(name, card_digest), READY_SECONDS, f"{name} has a card")
        await client.post(
            agentjobs(namespace, "agentjobapprovals"), approval(name, card_digest(card.object))
        )
        await watch.until(named(name, is_ready), READY_SECONDS, f"{name} is ready")


async def create_all(client: Client, path: str, bodies: Iterable[Json]) -> None:
    """IN_FLIGHT at a time."""
    left = iter(bodies)

    async def work() -> None:
        for body in left:
            await client.post(path, body)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
