"""One flow under one fault, from an empty namespace to the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from tests.cluster.faults import faults
from tests.cluster.faults.faults import TWO_LEADERS, Fault, Past
from tests.cluster.faults.flows import FLOWS, Stage
from tests.cluster.faults.invariants import Breach, breaches
from tests.cluster.faults.operators import Nursery, Operator
from tests.cluster.faults.proxy import Proxy, Upstream
from tests.cluster.faults.story import StoryError, told

REST_SECONDS: Final = 120.0
FAULT_SECONDS: Final = 120.0
"""So much longer than without a fault a flow may take."""
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Case:
    """`writes`: how many the flow has without a fault."""

    flow: str
    fault: str
    writes: int = 1
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.flow}/{self.fault}"


@dataclass
class Verdict:
    """What came of a case. `struck`: how often something went wrong; 0: the fault met nothing."""

    flow: str
    fault: str
    struck: int = 0
    writes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    breaches: list[dict[str, Any]] = field(default_factory=list)

    def counts(self, kind: str) -> int:
        return sum(breach["kind"] == kind for breach in self.breaches)


@dataclass(frozen=True)
class World:
    """What all cases share. `namespace`: of the release."""

    client: Client
    upstream: Upstream
    nursery: Nursery
    settings: Json
    namespace: str
    folder: Path


@dataclass
class Play:
    """The operators of one case, and what may go wrong with them."""

    world: World
    case: Case
    stage: Stage
    fault: Fault
    stack: AsyncExitStack
    operators: list[Operator] = field(default_factory=list)

    async def operator(self, name: str, fault: Fault) -> Operator:
        namespace = self.stage.story.namespace
        proxy = await self.stack.enter_async_context(Proxy(self.world.upstream, namespace, fault))
        folder = self.world.folder / self.case.name.replace("/", "-").replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.log").unlink(missing_ok=True)
        world = self.world
        operator = Operator(world.nursery, world.settings, world.namespace, proxy, folder, name)
        await operator.start()
        self.stack.push_async_callback(operator.kill)
        self.operators.append(operator)
        return operator

    async def restart(self) -> None:
        await self.operators[0].kill()
        await self.operators[0].start()

    async def latest(self) -> str:
        """The version of now."""
        path = self.stage.path("job")
        found = await self.world.client.get(path, limit="1")
        return str(found["metadata"]["resourceVersion"])


async def tried(world: World, case: Case) -> Verdict:
    """Raises ClusterProblem when it cannot be tried: what has to be there before is not."""
    verdict = Verdict(case.flow, case.fault)
    dice = random.Random(f"{case.seed} {case.name}")
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        namespace = await stack.enter_async_context(_namespace(world.client))
        story = await stack.enter_async_context(told(world.client, namespace))
        fault = faults.make(case.fault, dice, case.writes)
        play = Play(world, case, Stage(world.client, story), fault, stack)
        await _prepare(play)
        verdict.breaches = [asdict(breach) for breach in await _play(play, verdict)]
    verdict.seconds = round(time.monotonic() - began, 1)
    return verdict


async def _prepare(play: Play) -> None:
    """Nothing goes wrong yet."""
    fault = play.fault
    first = await play.operator("first", fault)
    fault.kill = play.restart
    if isinstance(fault, Past):
        fault.latest = play.latest
    try:
        await FLOWS[play.case.flow].prepare(play.stage)
    except StoryError as error:
        raise ClusterProblem(f"{play.case.name}: before the fault: {error}") from error
    await first.rests(REST_SECONDS)
    if play.case.fault in TWO_LEADERS:
        second = await play.operator("second", faults.make(play.case.fault, fault.dice, 1))
        await second.rests(REST_SECONDS)


async def _play(play: Play, verdict: Verdict) -> list[Breach]:
    flow, fault, story = FLOWS[play.case.flow], play.fault, play.stage.story
    first = play.operators[0]
    for operator in play.operators[1:]:
        operator.proxy.arm()
    await fault.begins(first.proxy.arm)
    found: list[Breach] = []
    try:
        await flow.act(play.stage)
        await story.until(flow.done, flow.seconds + FAULT_SECONDS)
    except StoryError as error:
        found.append(Breach("lost", str(error)))
    verdict.struck, calm = fault.struck, time.time()
    verdict.writes = [asked.words() for asked in first.proxy.writes]
    fault.release()
    for operator in play.operators:
        operator.proxy.armed = False
    return [*found, *breaches(story, calm), *await _difference(play)]


async def _difference(play: Play) -> list[Breach]:
    """An operator that begins now finds nothing to write."""
    try:
        await asyncio.gather(*(operator.rests(REST_SECONDS) for operator in play.operators))
        for operator in play.operators:
            await operator.kill()
        fresh = await play.operator("fresh", Fault())
        await fresh.rests(REST_SECONDS)
    except ClusterProblem as error:
        return [Breach("left", str(error))]
    return [Breach("left", asked.words()) for asked in fresh.proxy.writes]


@asynccontextmanager
async def _namespace(client: Client) -> AsyncIterator[str]:
    """As `Client.namespace`, but nobody waits for its deletion."""
    name = f"faults-{random.SystemRandom().getrandbits(32):08x}"
    await client.post("api/v1/namespaces", {"metadata": {"name": name, "labels": RESTRICTED}})
    try:
        yield name
    finally:
        await client.delete(f"api/v1/namespaces/{name}")
