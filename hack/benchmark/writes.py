"""How often the operator writes for one finished run, told by the API server's audit log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Seen, Watch
from hack.benchmark import audit, objects
from hack.benchmark.objects import FINAL, phase
from hack.benchmark.session import Session
from hack.benchmark.spread import Aim, Figure

JOBS: Final = 4
"""In one round."""
RUN_SECONDS: Final = 150.0
QUIET_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 60.0
LATEST_SECOND: Final = 35
"""Of a minute: a job approved later could become due before everything is in place."""

Start = Callable[[Client, str, list[str]], Awaitable[None]]


@dataclass(frozen=True)
class Round:
    """What was asked of one namespace while its `runs` (name: job) came and went."""

    requests: tuple[audit.Request, ...]
    runs: dict[str, str]


async def per_run(session: Session) -> list[Figure]:
    """Scheduled and manual runs, each of a fresh job: what is written to it is for its only run."""
    operator = await session.operator.user()
    figures: list[Figure] = []
    for kind, aim, cron in (("scheduled", 6, objects.EVERY_MINUTE), ("manual", 8, None)):
        rounds = []
        for number in range(session.rounds):
            session.say(f"writes of {kind} runs, round {number + 1}")
            rounds.append(await _round(session, operator, cron))
        figures += _figures(kind, Aim(p50=aim, p99=aim + 2), operator, rounds)
    return figures


def _figures(kind: str, aim: Aim, operator: str, rounds: list[Round]) -> Iterator[Figure]:
    tallies = [
        audit.per_run((seen for seen in done.requests if seen.user == operator), done.runs).values()
        for done in rounds
    ]

    def counted(wanted: Callable[[str], bool]) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(float(sum(n for what, n in run.items() if wanted(what))) for run in runs)
            for runs in tallies
        )

    def for_each(wanted: Callable[[audit.Request], bool]) -> tuple[tuple[float, ...], ...]:
        return tuple((sum(map(wanted, done.requests)) / JOBS,) for done in rounds)

    def by_kubernetes(seen: audit.Request) -> bool:
        theirs = seen.user != operator and seen.user.startswith("system:")
        return theirs and seen.write and not seen.apart

    apart = counted(lambda what: " events" not in what)
    yield Figure(f"{kind} run: writes, Events apart", "writes", apart, aim)
    for what in sorted({what for runs in tallies for run in runs for what in run}):
        yield Figure(f"  {what}", "writes", counted(what.__eq__))
    reads = for_each(lambda seen: seen.user == operator and not seen.write)
    yield Figure(f"{kind} run: reads", "reads", reads)
    own = f"{kind} run: writes of Kubernetes itself, Events apart"
    yield Figure(own, "writes", for_each(by_kubernetes), control=True)


async def _round(session: Session, operator: str, cron: str | None) -> Round:
    if session.audit_log is None:
        raise ClusterProblem(
            "the writes are counted in the local cluster's audit log, and KUBECONFIG names another"
            " cluster"
        )
    client, names = session.client, [f"job-{number}" for number in range(JOBS)]
    if cron and time.localtime().tm_sec > LATEST_SECOND:
        await asyncio.sleep(61 - time.localtime().tm_sec)
    async with client.namespace("bench-writes") as namespace:
        async with (
            client.watch(objects.jobs(namespace)) as jobs,
            client.watch(objects.runs(namespace)) as watch,
        ):
            log = audit.Log(session.audit_log)
            bodies = [objects.job(name, cron=cron) for name in names]
            await objects.in_force(client, namespace, jobs, bodies)
            await _quiet(log, operator, namespace)
            before = log.read()
            if cron is None:
                for name in names:
                    await client.post(objects.runs(namespace), objects.run(f"{name}-run", name))
            runs = {await _finished(watch, name): name for name in names}
        await _quiet(log, operator, namespace)
        found = (await client.get(objects.runs(namespace)))["items"]
        if sorted(run["metadata"]["name"] for run in found) != sorted(runs):
            raise ClusterProblem(
                "the next minute's runs began before the writes for this one's were over; the"
                " machine is too slow"
            )
        asked = tuple(seen for seen in log.requests[before:] if seen.namespace == namespace)
        return Round(asked, runs)


async def _finished(watch: Watch, job: str) -> str:
    def final(seen: Seen) -> bool:
        its = seen.type != "DELETED" and seen.object["spec"]["jobName"] == job
        return its and phase(seen.object) in FINAL

    seen = await watch.until(final, RUN_SECONDS, f"{job} has run")
    if phase(seen.object) != "Succeeded":
        message = seen.object["status"].get("message")
        raise ClusterProblem(f"the run {seen.name} ended as {phase(seen.object)}: {message}")
    return seen.name


async def _quiet(log: audit.Log, operator: str, namespace: str) -> None:
    """Until the operator has asked nothing of the namespace for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    count, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        log.read()
        now = sum(seen.user == operator and seen.namespace == namespace for seen in log.requests)
        if now != count:
            count, since = now, time.monotonic()
        if time.monotonic() > deadline:
            raise ClusterProblem(f"the operator does not come to rest in {namespace}")
        await asyncio.sleep(0.2)
