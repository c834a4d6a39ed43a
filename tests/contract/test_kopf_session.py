"""What we give Kopf in place of its own connection, with Kopf's own code on top.

One hostile object spoils neither list nor watch.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import aiohttp
import kopf
import pytest
from aiohttp import web
from kopf._cogs.clients import auth, watching
from kopf._cogs.structs import credentials, references

from agentjobs.core.wire.bodies import unreadable
from agentjobs.operator import session as sessions
from agentjobs.operator import watch
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.session import Pauses, session
from agentjobs.operator.watch import Watcher
from tests.support.slow import slow_but

DEEP = '{"a":' * 1200 + "1" + "}" * 1200
RUNS = references.Resource("agentjobs.dev", "v1alpha1", "agentjobruns", namespaced=True)


def test_this_is_the_kopf_whose_code_was_read() -> None:
    assert version("kopf").startswith("1.45."), (
        "read kopf/_cogs/clients/api.py: does it still ask json() and content.iter_chunked()?"
    )


def run(name: str, number: int, data: str) -> str:
    metadata = json.dumps(
        {
            "name": name,
            "namespace": "n",
            "uid": name,
            "resourceVersion": str(number),
            "managedFields": [{}],
        }
    )
    event = f'{{"id":"1","source":"/s","type":"t","data":{data}}}'
    spec = f'{{"jobName":"j","trigger":{{"type":"Event","event":{event}}}}}'
    return f'{{"metadata":{metadata},"spec":{spec},"status":{{"stdout":"x"}}}}'


class Api:
    """Lists two pages, then tells two changes."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            last = "continue" in request.query
            objects = (
                [run("third", 13, '"x"')]
                if last
                else [run("deep", 11, DEEP), run("second", 12, "[" * 300 + "]" * 300)]
            )
            token = "" if last else "more"
            kind = '"apiVersion":"agentjobs.dev/v1alpha1","kind":"AgentJobRunList"'
            metadata = f'{{"resourceVersion":"20","continue":"{token}"}}'
            return web.Response(
                text=f'{{{kind},"items":[{",".join(objects)}],"metadata":{metadata}}}',
                content_type="application/json",
            )
        response = web.StreamResponse()
        await response.prepare(request)
        for number, data in ((21, DEEP), (22, '"y"')):
            await response.write(
                f'{{"type":"MODIFIED","object":{run("deep", number, data)}}}\n'.encode()
            )
        await response.write(b'{"type":"MODIFIED","object":{"metadata":\n')
        await response.write(f'{{"type":"ADDED","object":{run("last", 23, "7")}}}\n'.encode())
        await asyncio.Event().wait()
        return response


class Ending(Api):
    """Ends its first watch with an error, like an API server that restarts or has lost its etcd."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.watches = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.watches += "watch" in request.query
        if "watch" not in request.query or self.watches > 1:
            return await super().answer(request)
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "code": self.code,
            "message": "etcdserver: leader changed",
        }
        return web.Response(
            text=json.dumps({"type": "ERROR", "object": status}) + "\n",
            content_type="application/json",
        )


@asynccontextmanager
async def kopfs_connection(api: Api, streams: Streams) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/apis/agentjobs.dev/v1alpha1/agentjobruns", api.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    info = session(
        kopf.ConnectionInfo(server=f"http://127.0.0.1:{port}"),
        Watcher(Cache(), streams, lambda _: None).listed,
    )
    vault = credentials.Vault({credentials.VaultKey("ours"): info})
    token = auth.vault_var.set(vault)
    try:
        yield
    finally:
        auth.vault_var.reset(token)
        await vault.close()
        await info.aiohttp_session.close()
        await runner.cleanup()


async def told(
    wanted: int, api: Api | None = None, last: str = "", streams: Streams | None = None
) -> list[Any]:
    """So many events, or those up to the one of the object `last`."""
    settings = watch.settings(300)
    settings.watching.reconnect_backoff = 0.001  # Kopf waits that long after each watch
    found: list[Any] = []
    async with kopfs_connection(api or Api(), streams or Streams()), asyncio.timeout(20):
        stream = watching.infinite_watch(settings=settings, resource=RUNS, namespace=None)
        async for event in stream:
            if event is not watching.Bookmark.LISTED:
                found.append(event)
            if len(found) == wanted or (
                last and found and found[-1]["object"]["metadata"]["name"] == last
            ):
                break
    return found


def test_a_hostile_object_arrives_as_what_is_left_and_others_whole(caplog: Any) -> None:
    with caplog.at_level(logging.ERROR):
        events = asyncio.run(told(6))
    shown = [
        (event["type"], event["object"]["metadata"]["name"], bool(unreadable(event["object"])))
        for event in events
    ]
    assert shown == [
        (None, "deep", True),
        (None, "second", True),
        (None, "third", False),
        ("MODIFIED", "deep", True),
        ("MODIFIED", "deep", False),
        ("ADDED", "last", False),
    ]
    assert all(event["object"]["spec"]["jobName"] == "j" for event in events)
    assert [record.message for record in caplog.records] == [
        "a line of the watch of agentjobruns cannot be read: Malformed"
    ]


def test_kopf_connects_again_if_a_connection_is_lost_before_the_answer() -> None:
    async def lost() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        info = session(kopf.ConnectionInfo(server="http://127.0.0.1"))
        with pytest.raises(aiohttp.ClientConnectionError):
            await info.aiohttp_session.get(
                f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            )
        await info.aiohttp_session.close()
        server.close()

    asyncio.run(lost())


@pytest.mark.parametrize("code", slow_but((500,), (410, 429, 500, 504)))
def test_a_watch_that_the_api_server_ends_with_an_error_begins_anew(code: int) -> None:
    """Kopf alone ends the operator, but for a 410."""
    api = Ending(code)
    names = [event["object"]["metadata"]["name"] for event in asyncio.run(told(9, api))]
    assert names == [
        "deep",
        "second",
        "third",
        *["deep", "second", "third"],
        "deep",
        "deep",
        "last",
    ]
    assert api.watches == 2


class Answering(Api):
    """Answers a list's second page or a watch with a status past Kopf's patience, then properly."""

    def __init__(self, status: int, where: str) -> None:
        self.status = status
        self.where = where
        self.answers = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.where not in request.query or self.answers == 10:
            return await super().answer(request)
        self.answers += 1
        if not self.status:
            return web.Response(text='{"items":[', content_type="application/json")
        return web.json_response(
            {"kind": "Status", "apiVersion": "v1", "code": self.status, "message": "no"},
            status=self.status,
        )


@pytest.mark.parametrize("where", ["limit", "continue", "watch"])
@pytest.mark.parametrize("status", slow_but((500,), (0, 400, 403, 404, 410, 422, 429, 500, 503)))
def test_a_list_or_a_watch_that_is_answered_with_an_error_for_long_goes_on(
    status: int, where: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(watch, "BACKOFFS", (0.01,))
    monkeypatch.setattr(sessions, "MAX_ERROR_SECONDS", 0.01)
    api = Answering(status, where)
    found = asyncio.run(told(100, api, last="last"))
    assert [event["object"]["metadata"]["name"] for event in found[-6:]] == [
        "deep",
        "second",
        "third",
        "deep",
        "deep",
        "last",
    ]
    assert api.answers == 10


def test_the_pause_grows_with_each_error_in_a_row_and_is_of_one_kind_only(monkeypatch: Any) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def errors() -> None:
        pauses = Pauses()
        for _ in range(7):
            await pauses.after("agentjobruns")
        await pauses.after("pods")
        pauses.over("agentjobruns")
        await pauses.after("agentjobruns")

    asyncio.run(errors())
    assert waited == [1, 2, 4, 8, 16, 30, 30, 1, 1]


@pytest.mark.parametrize(
    ("listed", "wanted", "behind"), [(20, 2, {"run"}), (20, 3, set()), (21, 3, {"run"})]
)
def test_what_was_gone_before_kopf_listed_is_awaited_no_longer(
    listed: int, wanted: int, behind: set[str]
) -> None:
    """A run that our own first list showed, and that was over before a stream began.

    The list has two pages, both of version 20.
    """
    streams = Streams()
    streams.listed("run", listed, 0)
    asyncio.run(told(wanted, streams=streams))
    assert streams.behind() == behind


def test_what_is_large_is_not_kept() -> None:
    for event in asyncio.run(told(3)):
        assert "managedFields" not in event["object"]["metadata"]
        assert "data" not in event["object"]["spec"]["trigger"]["event"]
        assert event["object"]["status"] == {}
        assert event["object"]["kind"] == "AgentJobRun"
