"""One bad object is one bad object, against a real HTTP server.

That holds for the client's answers, the first list, the re-list, streams and workers.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from prometheus_client import CollectorRegistry

from agentjobs.cluster.client import TABLE, Cluster
from agentjobs.cluster.connection import Account
from agentjobs.core.errors import NotFound, Refused
from agentjobs.core.plan import Write
from agentjobs.core.wire.bodies import unreadable
from agentjobs.operator import watch
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.relist import relist
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.controller import Controller
from agentjobs.operator.watch import Watcher
from agentjobs.operator.workqueue import WorkQueue
from agentjobs.telemetry import Metrics

DEEP = '{"a":' * 1200 + "1" + "}" * 1200
MANY = "[" + "[]," * 200_000 + "0]"


def run(name: str, data: str, number: int = 1, phase: str = "") -> str:
    created = "2026-01-01T00:00:00Z"
    metadata = {
        "name": name,
        "namespace": "team",
        "uid": name,
        "resourceVersion": str(number),
        "creationTimestamp": created,
    }
    event = f'{{"id":"1","source":"/s","type":"t","data":{data}}}'
    trigger = f'{{"type":"Event","event":{event}}}'
    status = json.dumps({"phase": phase})
    spec = f'{{"jobName":"report","trigger":{trigger}}}'
    return f'{{"metadata":{json.dumps(metadata)},"spec":{spec},"status":{status}}}'


def in_a_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """The test, run to its end."""

    @functools.wraps(test)
    def whole(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return whole


class Api:
    """Answers what it is told to, by the end of the path."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    async def answer(self, request: web.Request) -> web.Response:
        last = request.path.rpartition("/")[2]
        text = self.answers.get(last, '{"items":[],"metadata":{}}')
        if "as=Table" in request.headers["Accept"]:
            text = self.answers.get("table", '{"metadata":{},"columnDefinitions":[],"rows":[]}')
        return web.Response(
            text=text, status=422 if last == "refused" else 200, content_type="application/json"
        )


@asynccontextmanager
async def cluster(**answers: str) -> AsyncIterator[Cluster]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Api(answers).answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    async with ApiClient(configuration) as api:
        yield Cluster(Account(api))
    await runner.cleanup()


def listed(*items: str) -> str:
    kind = '"apiVersion":"v1","kind":"AgentJobRunList","metadata":{"resourceVersion":"9"}'
    return f'{{"items":[{",".join(items)}],{kind}}}'


@pytest.mark.slow
@in_a_loop
async def test_a_list_tells_every_object_and_of_a_bad_one_what_is_left() -> None:
    async with cluster(
        agentjobruns=listed(
            run("deep", DEEP), run("good", '"x"'), run("many", MANY), run("last", "1")
        )
    ) as api:
        bodies = [body async for page in api.list("run") for body in page["items"]]
    assert [(body["metadata"]["name"], unreadable(body)) for body in bodies] == [
        ("deep", "is nested more than 100 levels deep"),
        ("good", None),
        ("many", "contains more than 100000 values"),
        ("last", None),
    ]


@in_a_loop
async def test_an_answer_about_one_object_is_what_is_left_of_it() -> None:
    async with cluster(deep=run("deep", DEEP)) as api:
        read = await api.get("run", "team", "deep")
        written = await api.write("team", Write("patch", "run", "deep", "a test", {"metadata": {}}))
    assert read == written
    assert unreadable(read) is not None


@in_a_loop
async def test_a_refusal_of_any_form_is_a_refusal() -> None:
    for said in (DEEP, "", "<html>", '{"message":' + "9" * 5000 + "}", "[]", '{"message":"no"}'):
        async with cluster(refused=said) as api:
            with pytest.raises(Refused):
                await api.get("run", "team", "refused")


@in_a_loop
async def test_tables_come_with_their_columns() -> None:
    rows = ",".join(
        f'{{"cells":["report"],"object":{{"metadata":{{"name":"r{number}"}}}}}}'
        for number in range(300)
    )
    table = (
        f'{{"kind":"Table","metadata":{{}},"columnDefinitions":[{{"name":"Job"}}],"rows":[{rows}]}}'
    )
    async with cluster(table=table) as api:
        pages = [page async for page in api.list("run", accept=TABLE)]
    assert [row["object"]["metadata"]["name"] for page in pages for row in page["rows"]] == [
        f"r{number}" for number in range(300)
    ]
    assert all(page["columnDefinitions"] == [{"name": "Job"}] for page in pages)


@in_a_loop
async def test_the_first_list_takes_the_good_ones_and_knows_the_bad_ones() -> None:
    cache = Cache()
    odd = '{"metadata":{"name":"odd","namespace":"team","uid":"1","resourceVersion":"3"},"spec":{}}'
    async with cluster(agentjobruns=listed(run("deep", DEEP), odd, run("good", '"x"'))) as api:
        keys = await relist(api, cache, Streams())
    assert keys == {("team", "report")}
    assert {view.name: view.event.problem for view in cache.runs.all() if view.event} == {
        "deep": (
            "spec.trigger.event: is nested more than 100 levels deep; send less data, or nest it"
            " less"
        ),
        "good": None,
    }
    assert cache.unreadable()["run"] == 2


@in_a_loop
async def test_the_first_list_takes_finished_runs_with_deep_managed_fields() -> None:
    created = '"creationTimestamp":"2026-01-01T00:00:00Z"'
    metadata = f'"namespace":"team","uid":"1","resourceVersion":"3",{created}'
    owners = '"ownerReferences":[{"uid":"the job","controller":true}]'
    fields = f'"managedFields":[{DEEP}]'
    deep = f'{{"metadata":{{"name":"deep",{metadata},{owners},{fields}}}}}'
    deep = f'{{"cells":["report","Skipped","",0],"object":{deep}}}'
    odd = '{"cells":[],"object":{"metadata":{"name":"odd"}}}'
    good = f'{{"metadata":{{"name":"good",{metadata},{owners}}}}}'
    good = f'{{"cells":["report","Failed","",7],"object":{good}}}'
    columns = json.dumps([{"name": name} for name in ("Job", "Phase", "Finished", "Output Bytes")])
    cache = Cache()
    async with cluster(
        table=f'{{"metadata":{{}},"columnDefinitions":{columns},"rows":[{deep},{odd},{good}]}}'
    ) as api:
        await relist(api, cache, Streams())
    assert {run.name: run.owner_uid for run in cache.finished.all()} == {
        "deep": "the job",
        "good": "the job",
    }


def test_a_watch_event_that_nobody_expects_spoils_nothing(caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache()
    keys: list[Any] = []
    watcher = Watcher(cache, Streams(), keys.append)
    metadata = {"name": "bad", "namespace": "team", "uid": "1", "resourceVersion": "3"}
    bad: dict[str, Any] = {"metadata": metadata, "spec": {"jobName": ["a secret"]}}
    with caplog.at_level(logging.ERROR):
        watcher.observe("run", False, bad)
        watcher.observe("run", False, json.loads(run("good", "1", 4)))
    assert keys == [("team", "report")]
    assert cache.unreadable()["run"] == 1
    watcher.observe("run", True, {**bad, "metadata": {**metadata, "resourceVersion": "9"}})
    assert cache.unreadable()["run"] == 0


class Broken:
    """A reconciler that fails for one job, and cannot even report it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.done = asyncio.Event()

    async def reconcile(self, key: Any) -> None:
        if key[1] == "bad":
            raise self.error
        self.done.set()

    async def report(self, key: Any, error: Exception) -> None:
        raise RecursionError


@pytest.mark.parametrize(
    "error", [RecursionError(), OverflowError(), MemoryError(), Refused("no", 422), KeyError("x")]
)
@in_a_loop
async def test_whatever_one_job_raises_the_workers_go_on(error: Exception) -> None:
    queue, broken, metrics = WorkQueue(), Broken(error), Metrics(CollectorRegistry())
    async with cluster() as api:
        controller = Controller(api, Cache(), Streams(), broken, queue, metrics)  # type: ignore[arg-type]
        workers = await controller.start(1)
        queue.add(("team", "bad"))
        queue.add(("team", "good"))
        async with asyncio.timeout(10):
            await broken.done.wait()
        assert not any(worker.done() for worker in workers)
        for worker in workers:
            worker.cancel()


@in_a_loop
async def test_watches_wait_until_all_our_kinds_are_shown(caplog: Any, monkeypatch: Any) -> None:
    """Kopf never watches a kind that is not shown when it begins."""
    monkeypatch.setattr(watch, "SERVED_SECONDS", 0)
    ours = sorted(watch.OURS)
    assert len(ours) == 4
    answers = [
        f'{{"kind":"APIResourceList","resources":{json.dumps([{"name": name} for name in shown])}}}'
        for shown in (ours[:3], ours)
    ]
    asked = 0

    async with cluster(v1alpha1=answers[0]) as api, cluster(v1alpha1=answers[1]) as later:

        async def served(group: str, version: str) -> frozenset[str]:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise NotFound("404", 404)
            return await (later if asked == 4 else api).served(group, version)

        await watch.all_served(served)
    assert asked == 4
    assert [record.levelname for record in caplog.records if record.name == watch.__name__] == [
        "WARNING"
    ]
