"""What the fault machine's proxy does to requests and watches, with a small server behind it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from tests.cluster.faults import faults
from tests.cluster.faults.faults import Fault
from tests.cluster.faults.proxy import Proxy, Upstream, confined

RUNS: Final = "/apis/agentjobs.dev/v1alpha1/agentjobruns"
RUN: Final = "/apis/agentjobs.dev/v1alpha1/namespaces/here/agentjobruns/morning"
LEASE: Final = "/apis/coordination.k8s.io/v1/namespaces/x/leases/agentjobs-operator"


@dataclass
class Behind:
    """An API server that notes what reaches it, and tells three events to each watch."""

    reached: list[str] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer token"
        self.reached.append(f"{request.method} {request.path_qs}")
        if "watch" not in request.query:
            return web.json_response({"kind": "Whatever"})
        stream = web.StreamResponse()
        await stream.prepare(request)
        for number in range(3):
            await stream.write(
                json.dumps({"type": "ADDED", "object": {"n": number}}).encode() + b"\n"
            )
        return stream


@dataclass
class Operator:
    """Asks through the proxy."""

    session: aiohttp.ClientSession
    proxy: Proxy
    behind: Behind

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> int:
        """The status; 0 without an answer."""
        try:
            url = f"http://127.0.0.1:{self.proxy.port}{path}"
            async with self.session.request(method, url, json=body, params=query) as response:
                await response.read()
                return response.status
        except aiohttp.ClientError:
            return 0

    async def watch(self) -> list[int]:
        url = f"http://127.0.0.1:{self.proxy.port}{RUNS}?watch=true"
        found = []
        async with self.session.get(url) as response:
            async for line in response.content:
                event = json.loads(line)
                found.append(event["object"].get("n", event["object"].get("code")))
        return found


@asynccontextmanager
async def through(fault: Fault) -> AsyncIterator[Operator]:
    behind = Behind()
    runner = web.ServerRunner(web.Server(behind.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with (
        aiohttp.ClientSession(base) as server,
        Proxy(Upstream(server, "token"), "here", fault) as proxy,
        aiohttp.ClientSession() as session,
    ):
        yield Operator(session, proxy, behind)
    await runner.cleanup()


def played(
    fault: Fault, act: Callable[[Operator], Awaitable[Any]], *, armed: bool = True
) -> tuple[Any, list[str]]:
    """What came back, and what reached the server."""

    async def play() -> tuple[Any, list[str]]:
        async with through(fault) as operator:
            if armed:
                await fault.begins(operator.proxy.arm)
            return await act(operator), operator.behind.reached

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        (RUNS, "/apis/agentjobs.dev/v1alpha1/namespaces/here/agentjobruns"),
        ("/api/v1/pods", "/api/v1/namespaces/here/pods"),
        ("/apis/batch/v1", "/apis/batch/v1"),
        (RUN, RUN),
        ("/api/v1/namespaces", "/api/v1/namespaces"),
    ],
)
def test_an_operator_sees_one_namespace(asked: str, passed_on: str) -> None:
    assert confined(asked, "here") == passed_on


def test_whoever_asks_for_the_lease_leads_and_nobody_else_is_asked() -> None:
    body = {"metadata": {"name": "agentjobs-operator"}, "spec": {"holderIdentity": "me"}}

    async def act(operator: Operator) -> list[int]:
        return [await operator.ask(method, LEASE, body) for method in ("GET", "POST", "GET", "PUT")]

    assert played(Fault(), act) == ([404, 200, 200, 200], [])


async def write_twice(operator: Operator) -> list[int]:
    return [await operator.ask("PATCH", RUN, {"status": {}}) for _ in range(2)]


@pytest.mark.parametrize(
    ("name", "statuses", "reached"),
    [
        ("409", [409, 200], 1),
        ("429", [429, 200], 1),
        ("500", [500, 200], 1),
        ("timeout before", [504, 200], 1),
        ("timeout after", [504, 200], 2),
        ("cut before", [0, 200], 1),
        ("cut after", [0, 200], 2),
        ("500 to reads", [200, 200], 2),
    ],
)
def test_a_write_is_struck_at_its_first_try(name: str, statuses: list[int], reached: int) -> None:
    told, seen = played(faults.make(name, random.Random(0), 2), write_twice)
    assert (told, len(seen)) == (statuses, reached)


def test_a_read_is_struck_once_since_each_attempt_reads_the_same() -> None:
    async def read(operator: Operator) -> list[int]:
        return [await operator.ask("GET", path) for path in (RUN, RUN, RUNS, RUN, RUNS)]

    assert played(faults.make("500 to reads", random.Random(0), 2), read)[0] == [
        500,
        200,
        500,
        200,
        200,
    ]


def test_before_the_flow_acts_nothing_is_struck() -> None:
    told, seen = played(faults.make("500", random.Random(0), 2), write_twice, armed=False)
    assert (told, len(seen)) == ([200, 200], 2)


@pytest.mark.parametrize(("when", "reached"), [("before", 1), ("after", 2)])
def test_the_operator_is_killed_at_the_write_that_is_named(when: str, reached: int) -> None:
    fault = faults.make(f"killed {when} write 2", random.Random(0), 2)
    killed = []

    async def kill() -> None:
        killed.append(True)

    fault.kill = kill
    told, seen = played(fault, write_twice)
    assert (told, len(seen), killed) == ([200, 0], reached, [True])


def test_lists_of_the_past_ask_for_the_version_at_which_the_fault_began() -> None:
    fault = faults.Past(random.Random(0))

    async def latest() -> str:
        return "17"

    fault.latest = latest
    _, seen = played(fault, lambda operator: operator.ask("GET", RUNS, labelSelector="a"))
    (asked,) = seen
    assert "resourceVersion=17&resourceVersionMatch=Exact" in asked


@pytest.mark.slow
def test_what_a_watch_tells_passes_and_is_lost_late_or_cut_by_a_fault() -> None:
    async def watch(operator: Operator) -> list[int]:
        return await operator.watch()

    assert played(Fault(), watch)[0] == [0, 1, 2]
    assert played(faults.make("late events", random.Random(0), 1), watch)[0] == [0, 1, 2]
    assert played(faults.make("no events of runs", random.Random(0), 1), watch)[0] == []
    assert played(faults.make("no events of pods", random.Random(0), 1), watch)[0] == [0, 1, 2]
    assert len(played(faults.make("watches cut", random.Random(1), 1), watch)[0]) < 3


def test_after_a_gap_a_watch_is_told_410_and_its_next_one_goes_on() -> None:
    fault = faults.Gap(random.Random(0))
    fault.thaw.set()

    async def act(operator: Operator) -> list[list[int]]:
        return [await operator.watch(), await operator.watch()]

    assert played(fault, act)[0] == [[410], [0, 1, 2]]
