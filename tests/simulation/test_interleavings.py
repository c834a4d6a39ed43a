"""A thousand random lives of a job: whatever people and the operator do, nothing unapproved runs.

The controllers and the API server are those of `agentjobs.testing`. Between a decision and the
operator's answer lies the time that a watch takes, so the promise has two halves: what starts was
approved at some moment since everything was last at rest, and at rest nothing runs, and nothing is
going to, that is not approved now. What is approved is told here by the objects alone, not by the
code under test.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.api import names
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cluster.client import Json
from agentjobs.core.content.digest import content
from agentjobs.core.workload.records import REVISION_KEY
from agentjobs.testing.server import Server
from agentjobs.testing.simulation import RUN_LABEL, Kubernetes
from tests.support import manifests
from tests.support.lives.crashes import Struck, World, killed_after, killed_before
from tests.support.lives.steps import MONDAY, NS, SCRIPTS

JOB: Final = "report"
PIN: Final = "six==1.17.0"
VARIANTS: Final[tuple[dict[str, Any], ...]] = (
    {"script": {"inline": "ok"}},
    {"script": {"inline": "long"}},
    {"script": {"inline": "long"}, "timeoutSeconds": 60},
    {"script": {"inline": "long"}, "packages": [PIN]},
)
SCHEDULE: Final = {"cron": "0 8 * * *"}
INLINE: Final = tuple(manifests.job(JOB, schedule=SCHEDULE, **variant) for variant in VARIANTS)
DIGESTS: Final = tuple(
    content(JOB, ScheduledAgentJobSpec.model_validate(spec["spec"])).digest for spec in INLINE
)
SOURCE: Final = "texts"
REFERRING: Final = manifests.job(
    JOB, schedule=SCHEDULE, script={"configMapKeyRef": {"name": SOURCE, "key": "script"}}
)
SPECS: Final = (*INLINE, REFERRING)
"""The last takes its script from a ConfigMap, which has that of the first or of the second; its
digest is then the same."""
NEEDS_PACKAGE: Final = DIGESTS[3]
SOON: Final = timedelta(seconds=30)


@dataclass
class Watched(Kubernetes):
    """Whose every start is looked at.

    `allowed`: what was approved since everything was last at rest.
    """

    allowed: set[str] = field(default_factory=set)

    def approved(self) -> set[str]:
        """The digests that may run now, told by the objects alone."""
        decisions = [
            (body["spec"]["digest"], body["spec"]["decision"])
            for body in self.server.all("approval", NS)
        ]
        packages = {body["spec"]["decision"] for body in self.server.all("packageapproval", NS)}
        fine = {
            digest
            for digest in DIGESTS
            if (digest, "Approved") in decisions and (digest, "Denied") not in decisions
        }
        return fine if packages == {"Approved"} else fine - {NEEDS_PACKAGE}

    def step(self) -> bool:
        """What starts has to be allowed, and to be what it says."""
        before = self.started.copy()
        busy = super().step()
        for _, run in self.started - before:
            pod = next(
                pod
                for pod in self.server.all("pod", NS)
                if pod["metadata"]["labels"][RUN_LABEL] == run
            )
            digest = pod["metadata"]["annotations"][names.DIGEST_ANNOTATION]
            assert digest in self.allowed, f"{run} starts {digest[:10]}"
            revision = self.server.objects["revision", NS, f"{JOB}-{digest}"]
            assert hashlib.sha256(revision["data"][REVISION_KEY].encode()).hexdigest() == digest
        return busy

    def check_rest(self) -> None:
        """Nothing runs, and nothing could be started, that is not approved now."""
        self.allowed = self.approved()
        for kind in ("cronjob", "batchjob", "pod"):
            for body in self.server.all(kind, NS):
                if not body["spec"].get("suspend"):
                    assert (
                        body["metadata"]["annotations"][names.DIGEST_ANNOTATION] in self.allowed
                    ), (kind, body["metadata"]["name"])
        assert max(self.started.values(), default=0) <= 1


@dataclass
class Game:
    """One life of the job."""

    kube: Watched
    world: World
    names: int = 0

    def name(self, kind: str) -> str:
        """One that was never used."""
        self.names += 1
        return f"{kind}-{self.names}"


Move = Callable[[Game], None]


def covered(spec: Json) -> Json:
    return {name: value for name, value in spec.items() if name != "suspend"}


def write(variant: int) -> Move:
    def move(game: Game) -> None:
        row = ("job", NS, JOB)
        if row in game.kube.server.objects:
            known = game.kube.server.objects[row]["spec"]
            wanted = SPECS[variant]["spec"]
            gone = dict.fromkeys(known.keys() - wanted.keys())
            script = dict.fromkeys(known["script"]) | wanted["script"]
            game.kube.server.patch(row, spec=gone | wanted | {"script": script})
        else:
            game.kube.server.create("job", NS, SPECS[variant])

    return move


def write_source(script: str | None) -> Move:
    """None: the ConfigMap goes."""

    def move(game: Game) -> None:
        row = ("source", NS, SOURCE)
        if row in game.kube.server.objects:
            game.kube.server.patch(
                row, data={"script": script}
            ) if script else game.kube.server.remove(row)
        elif script:
            metadata = {"name": SOURCE, "labels": {names.SOURCE_LABEL: "true"}}
            game.kube.server.create(
                "source", NS, {"metadata": metadata, "data": {"script": script}}
            )

    return move


def _current(game: Game) -> int:
    """Which of the contents the job has now; the first, where it has none."""
    job, source = (
        game.kube.server.objects.get(row) for row in (("job", NS, JOB), ("source", NS, SOURCE))
    )
    if job is None:
        return 0
    if "configMapKeyRef" in job["spec"]["script"]:
        return 1 if source and source["data"]["script"] == "long" else 0
    return next(n for n, spec in enumerate(INLINE) if covered(job["spec"]) == covered(spec["spec"]))


def decide(variant: int | None, decision: str) -> Move:
    """About one content, whether the job has it or not; None: about the one that it has."""

    def move(game: Game) -> None:
        digest = DIGESTS[_current(game) if variant is None else variant]
        body = manifests.approval(
            game.name("approval"), jobName=JOB, digest=digest, decision=decision
        )
        game.kube.server.create("approval", NS, body)

    return move


def decide_package(decision: str) -> Move:
    def move(game: Game) -> None:
        body = manifests.package_approval(game.name("packages"), packages=[PIN], decision=decision)
        game.kube.server.create("packageapproval", NS, body)

    return move


def withdraw(kind: str, number: int) -> Move:
    def move(game: Game) -> None:
        found = game.kube.server.all(kind, NS)
        if found:
            game.kube.server.remove((kind, NS, found[number % len(found)]["metadata"]["name"]))

    return move


def on_job(change: Callable[[Game, Json], None]) -> Move:
    def move(game: Game) -> None:
        body = game.kube.server.objects.get(("job", NS, JOB))
        if body is not None:
            change(game, body)

    return move


def suspend(value: bool) -> Move:
    return on_job(
        lambda game, _: void(game.kube.server.patch(("job", NS, JOB), spec={"suspend": value}))
    )


def void(_: object) -> None:
    """For what is done, not told."""


def run(game: Game) -> None:
    void(game.kube.server.create("run", NS, manifests.run(game.name("run"), JOB)))


def tick(game: Game) -> None:
    """A minute that the schedule names; each only once."""
    game.kube.server.now += timedelta(minutes=1)
    if ("cronjob", NS, JOB) in game.kube.server.objects:
        game.kube.start(NS, JOB)


def nobody(game: Game) -> None:
    game.world.operators = []


delete = on_job(lambda game, _: game.kube.server.remove(("job", NS, JOB)))
VARIANT: Final = st.integers(0, len(VARIANTS) - 1)
MOVES: Final = st.one_of(
    st.builds(write, st.integers(0, len(SPECS) - 1)),
    st.builds(write_source, st.sampled_from(["ok", "long", "long", None])),
    st.builds(
        decide,
        st.one_of(st.none(), VARIANT),
        st.sampled_from(["Approved", "Approved", "Approved", "Denied"]),
    ),
    st.builds(decide_package, st.sampled_from(["Approved", "Approved", "Denied"])),
    st.builds(withdraw, st.sampled_from(["approval", "packageapproval"]), st.integers(0, 5)),
    st.builds(suspend, st.booleans()),
    st.sampled_from([run, tick]),
    st.sampled_from([run, tick]),
    st.sampled_from([delete, nobody]),
)
STRIKES: Final = st.tuples(st.integers(0, 6), st.sampled_from([killed_before, killed_after]))
"""At which of its next writes the operator dies, and on which side of it."""
TURNS: Final = st.one_of(st.integers(0, 4), st.none())
"""How far everybody else comes before the next move; None: to rest."""


async def play(game: Game, moves: list[tuple[Move, int | None, tuple[int, Any]]]) -> None:
    world = game.world
    for move, turns, strike in moves:
        move(game)
        game.kube.allowed |= game.kube.approved()
        if not world.operators:
            await world.add_operator(Struck(world, *strike))
        if turns is None:
            await world.rest(during=SOON)
            game.kube.check_rest()
        else:
            for _ in range(turns):
                await world.turn()
    await world.rest(during=SOON)
    game.kube.check_rest()


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(MOVES, TURNS, STRIKES), min_size=4, max_size=12),
    st.integers(0, len(SPECS) - 1),
)
def test_nothing_unapproved_runs_whatever_happens_in_any_order(
    moves: list[tuple[Move, int | None, tuple[int, Any]]], first: int
) -> None:
    kube = Watched(Server(MONDAY), SCRIPTS)
    game = Game(kube, World(kube, ()))
    beginning: list[Move] = [
        write_source("ok"),
        write(first),
        decide(None, "Approved"),
        decide_package("Approved"),
        tick,
    ]
    asyncio.run(play(game, [*((move, None, (9, killed_after)) for move in beginning), *moves]))
