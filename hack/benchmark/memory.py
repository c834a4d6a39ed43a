"""What many jobs cost: the memory of the operator's pod, and the time and CPU of a start.

Time and CPU are measured until the operator has looked at all of the jobs after a start.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from agentjobs.testing.real_cluster.operator_pod import Settled
from hack.benchmark import objects
from hack.benchmark.objects import named
from hack.benchmark.session import Session
from hack.benchmark.spread import MB, Aim, Figure

SETTLE_SECONDS: Final = 300.0
SCRIPT: Final = "# " + "x" * 78 + "\n"
SCRIPT_LINES: Final = 25
"""2 KB: what an agent writes for a small report."""
IMPORTS: Final = """
import agentjobs.__main__
print(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1])
"""
AIMS: Final = {"none": 80.0, "approved": 130.0}


@dataclass
class Samples:
    """One a round, in the figures' units."""

    rss: list[float] = field(default_factory=list)
    working_set: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    control: list[float] = field(default_factory=list)


async def by_jobs(session: Session) -> list[Figure]:
    """0 jobs, then many approved ones, then as many unapproved ones besides.

    In each state the operator is started several times.
    """
    count = session.jobs
    async with session.operator.kept():
        session.say("memory: the imports alone")
        imports = await _imports(session)
        nothing = await _restarts(session, "no jobs", 0)
        async with session.client.namespace("bench-approved") as approved:
            before = (await session.operator.vitals()).cpu
            made = await _make(session, approved, count, approve=True)
            after = await _alive(session)
            after.cpu.append((await session.operator.vitals()).cpu - before)
            what = f"{count} approved jobs"
            many = await _restarts(
                session, what, count, lambda: _read_all(session.client, approved, count)
            )
            async with session.client.namespace("bench-waiting") as waiting:
                await _make(session, waiting, count, approve=False)
                both = await _restarts(session, f"{count} unapproved jobs more", 2 * count)
    saw = f"{count} approved jobs, in the process that saw them come"
    by_client = f"{count} jobs and CronJobs read by this client, 8 at a time"
    return [
        Figure("imports alone, in the same image: resident", "MB", ((imports,),), control=True),
        *_memory("no jobs", nothing, AIMS["none"]),
        *_memory(f"{count} approved jobs, after a start", many, AIMS["approved"]),
        *_memory(saw, after, AIMS["approved"]),
        *_memory(f"{count} unapproved jobs beside them, after a start", both, None),
        Figure(f"{count} jobs approved at once -> all CronJobs exist", "s", ((made,),)),
        Figure(f"{count} jobs written and approved: CPU", "s", _each(after.cpu)),
        *_start(f"{count} approved jobs", many),
        Figure(by_client, "s", _each(many.control), control=True),
        *_start(f"{2 * count} jobs, half of them approved", both),
    ]


def _each(samples: list[float]) -> tuple[tuple[float, ...], ...]:
    return tuple((sample,) for sample in samples)


def _memory(what: str, samples: Samples, aim: float | None) -> list[Figure]:
    return [
        Figure(f"{what}: resident", "MB", _each(samples.rss), Aim(p50=aim)),
        Figure(f"{what}: working set", "MB", _each(samples.working_set), Aim(p50=aim)),
    ]


def _start(what: str, samples: Samples) -> list[Figure]:
    return [
        Figure(f"start with {what} -> all reconciled", "s", _each(samples.took)),
        Figure(f"start with {what}: CPU", "s", _each(samples.cpu)),
        Figure(f"start with {what}: requests", "requests", _each(samples.requests)),
    ]


async def _restarts(
    session: Session, what: str, jobs: int, control: Callable[[], Awaitable[float]] | None = None
) -> Samples:
    samples = Samples()
    for number in range(session.rounds):
        session.say(f"memory: {what}, start {number + 1}")
        await session.operator.restart()
        settled = await session.operator.settled(
            SETTLE_SECONDS, lambda vitals: vitals.reconciles >= jobs
        )
        samples.took.append(settled.took)
        samples.cpu.append(settled.vitals.cpu)
        samples.requests.append(settled.vitals.requests)
        await _weigh(session, samples, settled)
        if control:
            samples.control.append(await control())
    return samples


async def _weigh(session: Session, samples: Samples, settled: Settled) -> None:
    samples.working_set.append(await session.operator.working_set() * MB)
    samples.rss.append((await session.operator.vitals()).rss * MB)


async def _alive(session: Session) -> Samples:
    """The process that saw the jobs come has more behind it than one that found them."""
    samples = Samples()
    await _weigh(session, samples, await session.operator.settled(SETTLE_SECONDS))
    return samples


async def _make(session: Session, namespace: str, count: int, *, approve: bool) -> float:
    """Returns the seconds from the first approval to the last CronJob; 0 without approvals."""
    client, names = session.client, [f"job-{number}" for number in range(count)]
    session.say(f"memory: {count} jobs{' and their approvals' if approve else ''}")
    jobs, written = objects.jobs(namespace), [objects.job(n, SCRIPT * SCRIPT_LINES) for n in names]
    await objects.create_all(client, jobs, written)
    bodies = await _until(
        client, jobs, lambda items: all(map(objects.card_digest, items)), "every job has a card"
    )
    if not approve:
        return 0.0
    began = time.perf_counter()
    approvals = [
        objects.approval(body["metadata"]["name"], objects.card_digest(body)) for body in bodies
    ]
    await objects.create_all(client, objects.agentjobs(namespace, "agentjobapprovals"), approvals)
    cron_jobs = objects.cron_jobs(namespace)
    await _until(client, cron_jobs, lambda items: len(items) == count, "every job has a CronJob")
    took = time.perf_counter() - began
    await _until(
        client, jobs, lambda items: all(map(objects.is_ready, items)), "every job is ready"
    )
    return took


async def _until(
    client: Client, path: str, enough: Callable[[list[Json]], bool], what: str
) -> list[Json]:
    """Lists now and then: a watch of many objects would cost this client more than the operator."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        items: list[Json] = (await client.get(path))["items"]
        if enough(items):
            return items
        await asyncio.sleep(1)
    raise ClusterProblem(f"not within {SETTLE_SECONDS:g} s: {what}")


async def _read_all(client: Client, namespace: str, count: int) -> float:
    """As many single reads as an operator needs at least to compare each job with its CronJob."""
    kinds = objects.jobs(namespace), objects.cron_jobs(namespace)
    paths = iter([f"{path}/job-{number}" for number in range(count) for path in kinds])

    async def work() -> None:
        for path in paths:
            await client.get(path)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(8)))
    return time.perf_counter() - began


async def _imports(session: Session) -> float:
    """MB of a Python that has loaded what the operator loads, and done nothing."""
    image, _ = await session.operator.images()
    security = {"runAsUser": 65532, "readOnlyRootFilesystem": True}
    command = ["/opt/agentjobs/bin/python", "-c", IMPORTS]
    container = {
        "name": "imports",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "securityContext": security,
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [container],
    }
    async with session.client.namespace("bench-imports") as namespace:
        pods = f"api/v1/namespaces/{namespace}/pods"
        async with session.client.watch(pods) as watch:
            await session.client.post(pods, {"metadata": {"name": "imports"}, "spec": spec})
            ended = named(
                "imports", lambda body: body["status"].get("phase") in ("Succeeded", "Failed")
            )
            await watch.until(ended, SETTLE_SECONDS, "the pod that imports has ended")
        log = (await session.client.request("GET", f"{pods}/imports/log")).decode()
    try:
        return int(log) * 1024 * MB
    except ValueError:
        raise ClusterProblem(f"the operator's parts could not be imported: {log[-1000:]}") from None
