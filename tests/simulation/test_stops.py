"""What is denied, withdrawn or cancelled stops soon, whatever is unreadable or refused.

The API server of `agentjobs.testing` refuses every write but the stops themselves, at random, and
reads fail at random. What is approved is told here by the objects alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.api import names
from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError, Refused
from agentjobs.core.plan import Stage, Write
from agentjobs.testing.server import Server
from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests
from tests.support.lives import steps
from tests.support.lives.crashes import World
from tests.support.lives.deletions import held, orphan
from tests.support.lives.starts import cancel_what_runs
from tests.support.lives.steps import NS, Act

JOB: Final = "slow"
SOON: Final = timedelta(seconds=10)
"""Promised in docs/security.md: this long after a denial is accepted nothing of that content goes
on."""
WRITES: Final = (
    *(
        ("create", kind, "")
        for kind in ("run", "cronjob", "batchjob", "revision", "claim", "event")
    ),
    *(("patch", "run", part) for part in ("", "status")),
    *(("patch", kind, "status") for kind in ("job", "cronjob")),
    ("replace", "cronjob", ""),
    *(("delete", kind, "") for kind in ("run", "cronjob", "batchjob", "revision")),
)
"""All that an operator may write but the stops: Jobs and CronJobs are patched."""
READS: Final = (
    *(("get", kind) for kind in ("revision", "claim", "run", "batchjob", "source")),
    *(("list", kind) for kind in ("pod", "batchjob", "cronjob", "run", "packageapproval")),
    ("log", "pod"),
)


@dataclass
class Unwilling:
    """An API server that refuses some writes for good, and where some reads fail."""

    server: Server
    refused: frozenset[tuple[str, str, str]] = frozenset()
    unreadable: frozenset[tuple[str, str]] = frozenset()
    stages: tuple[Stage, ...] = ()

    def _read(self, verb: str, kind: str) -> None:
        if (verb, kind) in self.unreadable:
            raise ClusterError(f"{verb} {kind}: 500: not now", 500)

    async def get(self, kind: str, namespace: str, name: str, *, accept: str = "") -> Json:
        self._read("get", kind)
        return await self.server.get(kind, namespace, name)

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        self._read("list", kind)
        async for page in self.server.list(kind, namespace, accept=accept, **selectors):
            yield page

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes:
        self._read("log", "pod")
        return await self.server.log(namespace, pod, container, tail_lines)

    async def write(self, namespace: str, write: Write) -> Json:
        if (write.verb, write.kind, write.subresource) in self.refused:
            raise Refused(f"{write.target}: 403: somebody's policy says no", 403)
        return self.server.put(namespace, write)


def deny(kube: Kubernetes) -> None:
    """The content that runs, whatever the spec says now."""
    for digest in _running(kube):
        body = manifests.approval(
            f"no-{digest[:16]}", jobName=JOB, digest=digest, decision="Denied"
        )
        kube.server.create("approval", NS, body)


def withdraw(kube: Kubernetes) -> None:
    for body in kube.server.all("approval", NS):
        kube.server.remove(("approval", NS, body["metadata"]["name"]))


def spoil(**schedule: Any) -> Act:
    """The spec becomes something that cannot be worked with, or that nobody has approved."""
    return lambda kube: steps.void(kube.server.patch(("job", NS, JOB), spec={"schedule": schedule}))


def squat(kube: Kubernetes) -> None:
    """Somebody's ConfigMap has the name of the revision, which is gone."""
    for body in kube.server.all("revision", NS):
        row = ("revision", NS, body["metadata"]["name"])
        kube.server.forget(row)
        kube.server.create("revision", NS, {"metadata": {"name": row[2]}, "data": body["data"]})


def forget_record(kube: Kubernetes) -> None:
    for body in kube.server.all("run", NS):
        kube.server.remove(("run", NS, body["metadata"]["name"]))


BEFORE: Final[dict[str, Act]] = {
    "nothing": steps.nothing,
    "changed": spoil(cron="0 9 * * *", timeZone="Etc/UTC"),
    "far": spoil(cron="0 9 * * *", everyWeeks=2, startDate="9999-12-31"),
    "last": spoil(once={"runAt": "9999-12-31T23:59:00-12:00"}),
    "nonsense": spoil(cron="no", timeZone="Nowhere"),
    "squatted": squat,
    "held": held(JOB),
    "orphaned": orphan(JOB),
    "forgotten": forget_record,
}
STOPS: Final[dict[str, Act]] = {"deny": deny, "withdraw": withdraw, "cancel": cancel_what_runs}


def _running(kube: Kubernetes) -> set[str]:
    """Digests of what goes on, or could start by itself."""
    found = set()
    for kind in ("batchjob", "cronjob"):
        for body in kube.server.all(kind, NS):
            conditions = body.get("status", {}).get("conditions", ())
            over = any(c["type"] in ("Complete", "Failed") for c in conditions)
            if not body["spec"].get("suspend") and not over:
                found.add(body["metadata"]["annotations"][names.DIGEST_ANNOTATION])
    return found


def _jobs(kube: Kubernetes) -> list[str]:
    return [
        b["metadata"]["name"]
        for b in kube.server.all("batchjob", NS)
        if not b["spec"].get("suspend")
    ]


async def live(
    before: Act,
    stop: str,
    refused: frozenset[tuple[str, str, str]],
    unreadable: frozenset[tuple[str, str]],
) -> None:
    world = World(steps.new_cluster(), ())
    api = Unwilling(world.kube.server)
    await world.add_operator(api)
    schedule = {"cron": "0 8 * * *"}
    steps.apply(JOB, "long", schedule=schedule)(world.kube)
    await world.rest()
    steps.decide(JOB)(world.kube)
    await world.rest(during=SOON)
    steps.eight_o_clock(world.kube)
    await world.rest(during=SOON)
    assert _jobs(world.kube), "its run goes on"
    if stop == "cancel":
        refused -= {("create", "run", "")}
    api.refused, api.unreadable = refused, unreadable
    before(world.kube)
    await world.rest(during=SOON)
    STOPS[stop](world.kube)
    await world.rest(during=SOON)
    if stop == "cancel" and before is not forget_record:
        assert not _jobs(world.kube)
    elif stop != "cancel":
        assert not _running(world.kube)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(BEFORE)),
    st.sampled_from(sorted(STOPS)),
    st.frozensets(st.sampled_from(WRITES)),
    st.frozensets(st.sampled_from(READS), max_size=4),
)
def test_what_must_stop_stops_whatever_else_is_refused_or_cannot_be_read(
    before: str,
    stop: str,
    refused: frozenset[tuple[str, str, str]],
    unreadable: frozenset[tuple[str, str]],
) -> None:
    asyncio.run(live(BEFORE[before], stop, refused, unreadable))


@pytest.mark.slow
def test_what_must_stop_stops_though_all_else_is_refused_and_unreadable() -> None:
    for before in BEFORE.values():
        for stop in STOPS:
            asyncio.run(
                live(
                    before,
                    stop,
                    frozenset(WRITES),
                    frozenset(READS) - {("list", "packageapproval")},
                )
            )
