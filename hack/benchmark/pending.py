"""What runs that wait cost at a start.

Each may hold 128 KiB of somebody's event, and anyone who may start a job can write many.
"""

from __future__ import annotations

import json
from typing import Final

from agentjobs.testing.real_cluster.client import Json
from hack.benchmark import objects
from hack.benchmark.session import Session
from hack.benchmark.spread import MB, Aim, Figure

RUNS: Final = 80
EVENT_BYTES: Final = 129_000
SETTLE_SECONDS: Final = 300.0
LIMIT: Final = 268.4
"""MB: what the chart lets the operator have, 256 MiB."""


async def events(session: Session) -> list[Figure]:
    """The operator finds the runs when it starts, and refuses them: their job is not approved."""
    most, took = [], []
    for number in range(session.rounds):
        session.say(f"events: start {number + 1}")
        async with session.client.namespace("bench-events") as namespace:
            job = objects.job("priced", triggers=[{"event": {"type": "priced"}}])
            await session.client.post(objects.jobs(namespace), job)
            async with session.operator.stopped():
                bodies = [objects.event_run("priced", _event(run)) for run in range(RUNS)]
                await objects.create_all(session.client, objects.runs(namespace), bodies)
            settled = await session.operator.settled(
                SETTLE_SECONDS, lambda vitals: vitals.reconciles > 0
            )
            most.append((settled.most * MB,))
            took.append((settled.took,))
    what = f"start with {RUNS} runs that wait, each with an event of {EVENT_BYTES // 1000} KB"
    return [
        Figure(f"{what}: resident, at most", "MB", tuple(most), Aim(p50=LIMIT)),
        Figure(f"{what} -> all refused", "s", tuple(took)),
    ]


def _event(number: int) -> Json:
    """Of empty lists, which grow most when they are parsed."""
    event: Json = {"id": str(number), "source": "/shop", "type": "priced", "data": []}
    left = EVENT_BYTES - len(json.dumps(event))
    return event | {"data": [[]] * (left // len("[],"))}
