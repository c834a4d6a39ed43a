"""What is ours is the operator's by label and owner.

What has a name that we want is compared, never taken for ours.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest

from agentjobs.api import names
from agentjobs.cluster.client import Json
from agentjobs.core.plan import Kind
from agentjobs.core.workload.taken import is_same
from tests.support.lives import jobs, steps
from tests.support.lives.crashes import World

# Label and owner


# Names


# What has the name


@cache
def created() -> dict[str, list[Json]]:
    """Every object that an operator creates in jobs' lives, as it was asked for, by kind."""
    found: dict[str, list[Json]] = defaultdict(list)

    async def through(life: tuple[steps.Step, ...]) -> None:
        world = World(steps.new_cluster(), life)

        class Noting:
            def __getattr__(self, name: str) -> Any:
                return getattr(world.kube.server, name)

            async def write(self, namespace: str, write: Any) -> Json:
                if write.verb == "create":
                    found[write.kind].append(dict(write.body))
                return await world.kube.server.write(namespace, write)

        await world.add_operator(Noting())
        while world.act():
            await world.rest()

    for life in (jobs.SCHEDULED, jobs.PACKAGED, jobs.REMEMBERING):
        asyncio.run(through(life))
    return found


def without(part: str, key: str) -> Callable[[Json], Json]:
    def change(body: Json) -> Json:
        metadata = body["metadata"]
        kept = {name: value for name, value in metadata[part].items() if name != key}
        return {**body, "metadata": {**metadata, part: kept}}

    return change


def of_another_owner(body: Json) -> Json:
    return {
        **body,
        "metadata": {**body["metadata"], "ownerReferences": [{"uid": "other", "controller": True}]},
    }


def as_manual(body: Json) -> Json:
    return {
        **body,
        "spec": {"jobName": body["spec"]["jobName"], "trigger": {"type": "Manual", "by": "eve"}},
    }


def of_another_job(body: Json) -> Json:
    return {**body, "spec": {**body["spec"], "jobName": "other"}}


FORGED: Final[dict[Kind, tuple[Callable[[Json], Json], ...]]] = {
    "cronjob": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "batchjob": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "revision": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "claim": (without("labels", names.JOB_LABEL), of_another_owner),
    "run": (as_manual, of_another_job),
}


@pytest.mark.parametrize("kind", FORGED)
def test_only_what_we_would_have_created_is_taken_for_it(kind: Kind) -> None:
    bodies = created()[kind]
    assert bodies
    for body in bodies:
        later = {
            **body,
            "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"},
            "status": {"phase": "Running"},
        }
        assert is_same(kind, body, later)
        for forge in FORGED[kind]:
            assert not is_same(kind, body, forge(later)), forge


# Squatted names
