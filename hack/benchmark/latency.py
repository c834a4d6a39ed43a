"""How long it takes from an approval to the CronJob, and from a container's end to the record."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

from agentjobs.testing.real_cluster.client import Client, Json, Watch
from hack.benchmark import objects
from hack.benchmark.objects import FINAL, named, phase
from hack.benchmark.session import Session
from hack.benchmark.spread import Aim, Figure, differences, scaled

APPROVALS: Final = 20
"""In one round."""
RUNS: Final = 8
"""In one round."""
SEEN_SECONDS: Final = 30.0
RUN_SECONDS: Final = 120.0
REST_SECONDS: Final = 0.1
"""Between two approvals, so that what follows one is not measured as part of the next."""
LAST_WORDS: Final = "import time\ntime.sleep({seconds:.3f})\nprint(f'{{time.time():.6f}}')\n"
"""Its last action is to tell the time.

It sleeps before that, for no whole number of the kubelet's own periods."""


async def approvals(session: Session) -> list[Figure]:
    """From the answer to the POST of an approval to the CronJob, one at a time."""
    sent: list[list[float]] = []
    accepted: list[list[float]] = []
    controls: list[list[float]] = []
    for number in range(session.rounds):
        session.say(f"approval, round {number + 1}")
        async with session.client.namespace("bench-approval") as namespace:
            measured = await _approve(session.client, namespace)
        for rounds, samples in zip((sent, accepted, controls), measured, strict=True):
            rounds.append(samples)
    aim = Aim(p50=60, p99=300)
    return [
        Figure("approval accepted -> CronJob exists", "ms", scaled(accepted, 1000), aim),
        Figure("approval sent -> CronJob exists", "ms", scaled(sent, 1000)),
        Figure("ConfigMap sent -> a watch tells it", "ms", scaled(controls, 1000), control=True),
    ]


async def _approve(client: Client, namespace: str) -> tuple[list[float], list[float], list[float]]:
    names = [f"job-{number}" for number in range(APPROVALS)]
    sent, accepted, controls = [], [], []
    maps = f"api/v1/namespaces/{namespace}/configmaps"
    async with (
        client.watch(objects.jobs(namespace)) as jobs,
        client.watch(objects.cron_jobs(namespace)) as cron_jobs,
        client.watch(maps) as control,
    ):
        bodies = [objects.job(name) for name in names]
        await objects.create_all(client, objects.jobs(namespace), bodies)
        cards = [
            await jobs.until(named(name, objects.card_digest), SEEN_SECONDS, f"{name} has a card")
            for name in names
        ]
        for name, card in zip(names, cards, strict=True):
            await asyncio.sleep(REST_SECONDS)
            controls.append(await _control(client, maps, control, f"control-{name}"))
            await asyncio.sleep(REST_SECONDS)
            approval = objects.approval(name, objects.card_digest(card.object))
            began = time.perf_counter()
            await client.post(objects.agentjobs(namespace, "agentjobapprovals"), approval)
            answered = time.perf_counter()
            seen = await cron_jobs.until(named(name), SEEN_SECONDS, f"the CronJob {name} exists")
            sent.append(seen.clock - began)
            accepted.append(seen.clock - answered)
            await jobs.until(named(name, objects.is_ready), SEEN_SECONDS, f"{name} is ready")
    return sent, accepted, controls


async def _control(client: Client, path: str, watch: Watch, name: str) -> float:
    began = time.perf_counter()
    await client.post(path, {"metadata": {"name": name}, "data": {"some": "x" * 2000}})
    seen = await watch.until(named(name), SEEN_SECONDS, f"the ConfigMap {name} exists")
    return seen.clock - began


async def records(session: Session) -> list[Figure]:
    """From the end of a script to the final phase of its run, one at a time.

    Needs the nodes' clock to be this machine's.
    """
    recorded, told = [], []
    for number in range(session.rounds):
        session.say(f"record, round {number + 1}")
        async with session.client.namespace("bench-record") as namespace:
            samples = await _run(session.client, namespace)
        recorded.append([record for record, _ in samples])
        told.append([pod for _, pod in samples])
    own = [differences(records, pods) for records, pods in zip(recorded, told, strict=True)]
    whole, aim = "script's last action -> record final", Aim(p50=300, p99=1000)
    kubelets = "script's last action -> kubelet reports the container's end"
    return [
        Figure(whole, "ms", scaled(recorded, 1000), aim),
        Figure(kubelets, "ms", scaled(told, 1000), control=True),
        Figure("kubelet's report -> record final (the operator's share)", "ms", scaled(own, 1000)),
    ]


async def _run(client: Client, namespace: str) -> list[tuple[float, float]]:
    """For each run the seconds from its script's last words to its record and its pod's status."""
    pods = f"api/v1/namespaces/{namespace}/pods"
    found = []
    async with (
        client.watch(objects.jobs(namespace)) as jobs,
        client.watch(objects.runs(namespace)) as runs,
        client.watch(pods) as pod_watch,
    ):
        for number in range(RUNS):
            name = f"job-{number}"
            script = LAST_WORDS.format(seconds=random.uniform(0.2, 1.2))  # noqa: S311  not a secret
            await objects.in_force(client, namespace, jobs, [objects.job(name, script, cron=None)])
            await client.post(objects.runs(namespace), objects.run(f"{name}-run", name))
            final = named(f"{name}-run", lambda body: phase(body) in FINAL)
            record = await runs.until(final, RUN_SECONDS, f"{name} has run")
            status = record.object["status"]
            ended = await pod_watch.until(
                named(status["podName"], _terminated), SEEN_SECONDS, f"the pod of {name} has ended"
            )
            last_words = float(status["stdout"])
            found.append((record.wall - last_words, ended.wall - last_words))
    return found


def _terminated(pod: Json) -> bool:
    return any(
        "terminated" in container["state"]
        for container in pod["status"].get("containerStatuses", ())
    )
