"""How long `kubectl saj list` takes from kubectl's start to the first line, and to the last."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from agentjobs.testing.real_cluster.client import ClusterProblem
from hack.benchmark import objects
from hack.benchmark.session import Session
from hack.benchmark.spread import Aim, Figure

TRIES: Final = 10
"""In one round."""
AIM_MS: Final = 500.0
SCRIPT: Final = "# " + "x" * 78 + "\n"
SCRIPT_LINES: Final = 25
CARD_SECONDS: Final = 300.0
PLUGIN: Final = str(Path(sys.executable).parent)
"""Where `make` has installed the plugin."""


async def list_jobs(session: Session) -> list[Figure]:
    """Many jobs with cards. The control is what kubectl itself takes for the same list."""
    first, last, control = [], [], []
    async with session.client.namespace("bench-listed") as namespace:
        session.say(f"list: writing {session.jobs} jobs")
        bodies = (
            objects.job(f"job-{number:04d}", SCRIPT * SCRIPT_LINES)
            for number in range(session.jobs)
        )
        await objects.create_all(session.client, objects.jobs(namespace), bodies)
        await _all_have_cards(session, namespace)
        for number in range(session.rounds):
            session.say(f"list: round {number + 1}")
            ours = await _tries(["kubectl", "saj", "list", "-n", namespace], session.jobs)
            theirs = await _tries(["kubectl", "get", "saj", "-n", namespace], session.jobs)
            first.append(tuple(begun for begun, _ in ours))
            last.append(tuple(ended for _, ended in ours))
            control.append(tuple(begun for begun, _ in theirs))
    what = f"kubectl saj list, {session.jobs} jobs"
    return [
        Figure(f"{what}: first line", "ms", tuple(first), Aim(p50=AIM_MS)),
        Figure(f"{what}: last line", "ms", tuple(last)),
        Figure("kubectl get saj, the same jobs: first line", "ms", tuple(control), control=True),
    ]


async def _tries(command: list[str], jobs: int) -> list[tuple[float, float]]:
    return [await asyncio.to_thread(_listed, command, jobs) for _ in range(TRIES)]


async def _all_have_cards(session: Session, namespace: str) -> None:
    deadline = time.monotonic() + CARD_SECONDS
    while time.monotonic() < deadline:
        found = await session.client.get(objects.jobs(namespace))
        if all(map(objects.card_digest, found["items"])):
            return
        await asyncio.sleep(1)
    raise ClusterProblem(f"not every job had a card after {CARD_SECONDS:g} s")


def _listed(command: list[str], jobs: int) -> tuple[float, float]:
    """Milliseconds to the first line and to the end. Raises ClusterProblem if a job is missing."""
    start = time.perf_counter()
    environment = {**os.environ, "PATH": f"{PLUGIN}:{os.environ['PATH']}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        if process.stdout is None:
            raise AssertionError("it is a pipe")
        process.stdout.readline()
        begun = time.perf_counter()
        lines = len(process.stdout.readlines())
    ended = time.perf_counter()
    if lines != jobs:
        raise ClusterProblem(f"{' '.join(command)} listed {lines} jobs, not {jobs}")
    return (begun - start) * 1000, (ended - start) * 1000
