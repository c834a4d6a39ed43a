"""Several operators at once, their requests mixed in any order.

Some requests are refused, some never answered; streams are late, and operators are killed at any
time.

Each seed is one such story. Whatever happened in it, the records and the counters agree with what
ran.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError
from agentjobs.core.naming import start_of
from agentjobs.core.plan import Write
from agentjobs.operator.watch import RESOURCES
from agentjobs.testing.operators import Operator
from agentjobs.testing.server import Server
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives import steps
from tests.support.lives.crashes import World
from tests.support.lives.steps import NS, status
from tests.support.slow import slow_but

SEEDS: Final = range(50)
TURNS: Final = 600
JOB: Final = "report"


@dataclass
class Api:
    """The API server shared by several operators; each request waits its turn while `wild`."""

    server: Server
    dice: random.Random
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    wild: bool = True

    async def _turn(self) -> None:
        if self.wild:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn

    async def get(self, kind: str, namespace: str, name: str, *, accept: str = "") -> Json:
        await self._turn()
        return await self.server.get(kind, namespace, name)

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        await self._turn()
        async for page in self.server.list(kind, namespace, accept=accept, **selectors):
            yield page

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes:
        await self._turn()
        return await self.server.log(namespace, pod, container, tail_lines)

    async def write(self, namespace: str, write: Write) -> Json:
        await self._turn()
        fate = self.dice.random() if self.wild else 1
        if fate < 0.04:
            raise ClusterError("500: not now", 500)
        body = self.server.put(namespace, write)
        if fate < 0.08:
            raise ClusterError("no answer")
        return body

    def go_on(self) -> None:
        """One request is carried out."""
        open_turns = [turn for turn in self.waiting if not turn.done()]
        if open_turns:
            self.dice.choice(open_turns).set_result(None)
        self.waiting = [turn for turn in open_turns if not turn.done()]


class Story:
    """What happens, as the dice fall."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = World(steps.new_cluster(), ())
        self.api = Api(self.kube.server, self.dice)
        self.work: dict[Operator, asyncio.Task[Any]] = {}
        self.deleted: set[str] = set()
        self.names = iter(f"run-{number}" for number in range(TURNS))

    @property
    def kube(self) -> Kubernetes:
        return self.world.kube

    async def tell(self) -> None:
        """A job, approved; then anything; then nothing more happens and all come to rest."""
        self.api.wild = False
        steps.apply(JOB, "ok", schedule={"cron": "0 8 * * *"})(self.kube)
        await self.world.add_operator(self.api)
        await self.world.rest()
        steps.decide(JOB)(self.kube)
        await self.world.rest()
        self.api.wild = True
        for _ in range(TURNS):
            self.dice.choices(
                (self.api.go_on, self.operate, self.control, self.use), (60, 30, 10, 3)
            )[0]()
            await asyncio.sleep(0)
        self.api.wild = False
        while any(not task.done() for task in self.work.values()):
            self.api.go_on()
            await asyncio.sleep(0)
        if not self.world.operators:
            await self.world.add_operator(self.api)
        await self.world.rest()

    def operate(self) -> None:
        """Something happens to one operator."""
        operators = self.world.operators
        if not operators or (len(operators) < 3 and self.dice.random() < 0.05):
            return self.begin()
        operator = self.dice.choice(operators)
        busy = operator in self.work and not self.work[operator].done()
        if self.dice.random() < 0.02:
            operators.remove(operator)
            self.work.pop(operator).cancel() if busy else None
        elif self.dice.random() < 0.5:
            operator.deliver(deaf=frozenset(kind for kind in RESOURCES if self.dice.random() < 0.5))
        elif not busy:
            self.work[operator] = asyncio.create_task(operator.work())
        return None

    def begin(self) -> None:
        operator = Operator(self.api, self.kube.server)
        self.world.operators.append(operator)
        self.work[operator] = asyncio.create_task(operator.start())

    def control(self) -> None:
        """The cluster's controllers act, or time passes."""
        if not self.kube.step() or self.dice.random() < 0.2:
            self.kube.server.now += timedelta(seconds=self.dice.choice((0.5, 1, 3)))

    def use(self) -> None:
        """Somebody does something, as far as it is possible now."""
        act: Callable[[], None] = self.dice.choices(
            (
                self.run_by_hand,
                self.fire,
                self.revoke,
                self.approve,
                self.rewrite,
                self.delete_a_batch_job,
                self.suspend,
            ),
            (6, 3, 1, 3, 1, 1, 1),
        )[0]
        act()

    def run_by_hand(self) -> None:
        for _ in range(self.dice.choice((1, 1, 2))):
            steps.start(JOB, next(self.names))(self.kube)

    def fire(self) -> None:
        self.kube.server.now += timedelta(minutes=1)
        self.kube.start(NS, JOB)

    def revoke(self) -> None:
        for approval in self.kube.server.all("approval"):
            steps.delete("approval", approval["metadata"]["name"])(self.kube)

    def approve(self) -> None:
        digest = status(self.kube, JOB)["card"]["digest"]
        if not any(
            approval["spec"]["digest"] == digest for approval in self.kube.server.all("approval")
        ):
            spec = {"jobName": JOB, "digest": digest, "decision": "Approved"}
            steps.create(
                "approval", {"metadata": {"name": f"yes-{self.kube.server.version}"}, "spec": spec}
            )(self.kube)

    def rewrite(self) -> None:
        steps.rewrite(JOB, self.dice.choice(("ok", "fail", "other")))(self.kube)

    def suspend(self) -> None:
        suspended = self.kube.server.objects["job", NS, JOB]["spec"].get("suspend", False)
        self.kube.server.patch(("job", NS, JOB), spec={"suspend": not suspended})

    def delete_a_batch_job(self) -> None:
        for job in self.kube.server.all("batchjob")[:1]:
            self.deleted.add(job["metadata"]["name"])
            steps.delete("batchjob", job["metadata"]["name"])(self.kube)


def every_start_has_its_record(kube: Kubernetes, deleted: set[str]) -> None:
    """But for those whose Job somebody deleted, perhaps before anybody saw it."""
    made = {
        change.after["metadata"]["name"]
        for change in kube.server.changes
        if change.kind == "batchjob" and change.after
    }
    assert {name for name in made - deleted if start_of(name)} <= set(steps.runs(kube))


def records_agree_with_what_ran(kube: Kubernetes) -> None:
    outputs = {script.stdout for script in steps.SCRIPTS.values()}
    for name, record in steps.runs(kube).items():
        started = kube.started[NS, name]
        assert started == 0 if record["phase"] == "Skipped" else started <= 1, (name, record)
        if record["phase"] == "Succeeded" or record["reason"] == "ScriptFailed":
            assert started == 1, (name, record)
        assert (
            record["stdout"] in outputs
            if record["logsComplete"] and started
            else "stdout" in record
        ), (name, record)


def counters_agree_with_the_records(kube: Kubernetes) -> None:
    phases = Counter(record["phase"] for record in steps.runs(kube).values())
    found = status(kube, JOB)
    counters = tuple(found.get(name, 0) for name in ("runCount", "successCount", "failureCount"))
    assert counters == (
        phases.total() - phases["Skipped"],
        phases["Succeeded"],
        phases["Failed"] + phases["TimedOut"],
    ), phases


def events_agree_with_the_records(kube: Kubernetes) -> None:
    told = {
        (e["message"].split(":")[0], e["reason"])
        for e in kube.server.all("event")
        if e["reason"].startswith("Run")
    }
    assert {(name, f"Run{record['phase']}") for name, record in steps.runs(kube).items()} <= told


@pytest.mark.parametrize("seed", slow_but(range(2), SEEDS))
def test_whatever_several_operators_do_the_records_agree_with_what_ran(seed: int) -> None:
    story = Story(seed)
    asyncio.run(story.tell())
    steps.at_rest(story.kube)
    every_start_has_its_record(story.kube, story.deleted)
    records_agree_with_what_ran(story.kube)
    counters_agree_with_the_records(story.kube)
    events_agree_with_the_records(story.kube)
