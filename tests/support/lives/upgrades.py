"""A cluster that lives through an upgrade."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from agentjobs.testing.simulation import Kubernetes
from tests.support.lives import steps
from tests.support.lives.crashes import World
from tests.support.lives.steps import Step


def an_hour_later(kube: Kubernetes) -> None:
    kube.server.now += timedelta(hours=1)


def live(*life: Step) -> Kubernetes:
    """Whatever is done, done with an operator that starts again at each step.

    At the end of each step it finds nothing left to write.
    """

    async def through() -> Kubernetes:
        world = World(steps.new_cluster(), life)
        while world.act():
            world.operators.clear()
            await world.add_operator()
            await world.rest()
            await world.check()
        return world.kube

    return asyncio.run(through())
