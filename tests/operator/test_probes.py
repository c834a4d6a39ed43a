"""However busy the operator's event loop is, probes are answered and the lease is held."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from agentjobs.operator import probes
from agentjobs.operator.lease import MAX_TRANSITIONS

BUSY_SECONDS = 5.0


class LeaseServer(ThreadingHTTPServer):
    """Holds one Lease, and refuses what the real one refuses of it."""

    def __init__(self, spec: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Lease)
        self.lease: Any = (
            None
            if spec is None
            else {"metadata": {"name": "l", "resourceVersion": "1"}, "spec": spec}
        )
        self.written: list[float] = []


class _Lease(BaseHTTPRequestHandler):
    server: LeaseServer

    def do_GET(self) -> None:
        self._answer(
            200 if self.server.lease else 404, self.server.lease or {"message": "no lease"}
        )

    def do_POST(self) -> None:
        self._store()

    def do_PUT(self) -> None:
        self._store()

    def _store(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["spec"]["leaseTransitions"] > MAX_TRANSITIONS:
            self._answer(422, {"message": "too many transitions"})
            return
        self.server.lease = body
        self.server.written.append(time.monotonic())
        self._answer(200, body)

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[LeaseServer]:
    server = LeaseServer(request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def kubeconfig(folder: Path, server: LeaseServer) -> str:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {
        "clusters": [cluster],
        "contexts": [context],
        "current-context": "c",
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return str(path)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def ask(port: int, path: str = "/healthz") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def vitals(folder: Path, server: LeaseServer, port: int, pulse: probes.Pulse) -> probes.Vitals:
    registry = CollectorRegistry()
    count = Gauge("asked", "How often metrics were brought up to date.", registry=registry)
    return probes.Vitals(
        kubeconfig(folder, server),
        name="l",
        namespace="system",
        identity="me",
        port=port,
        pulse=pulse,
        ready=lambda: "",
        registry=registry,
        refresh=count.inc,
    )


HELD_BEFORE = {
    "holderIdentity": "",
    "leaseTransitions": MAX_TRANSITIONS,
    "leaseDurationSeconds": 2**31 - 1,
    "renewTime": "x",
    "acquireTime": "y",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "api", [None, {}, HELD_BEFORE], indirect=True, ids=["none", "empty", "spoilt"]
)
def test_a_busy_event_loop_keeps_neither_probes_nor_the_lease(
    api: LeaseServer, tmp_path: Path
) -> None:
    port, pulse, answers = free_port(), probes.Pulse(), []
    alive = vitals(tmp_path, api, port, pulse)
    stopping = asyncio.Event()

    def watch() -> None:
        for _ in range(10):
            began = time.monotonic()
            answers.append((ask(port), ask(port, "/metrics")[0], time.monotonic() - began))

    async def lead() -> None:
        watcher = threading.Thread(target=watch)
        watcher.start()
        before, until = len(api.written), time.monotonic() + BUSY_SECONDS
        while time.monotonic() < until:
            sum(range(1000))
        assert len(api.written) > before, "the lease was not renewed meanwhile"
        await asyncio.to_thread(watcher.join)

    async def whole() -> None:
        keeping = asyncio.create_task(pulse.keep(lambda: ""))
        await alive.run(lead, stopping)
        keeping.cancel()

    asyncio.run(asyncio.wait_for(whole(), 60))
    assert len(answers) == 10
    assert {(answer, metrics) for answer, metrics, _ in answers} == {((200, "ok"), 200)}
    assert max(took for *_, took in answers) < 2
    assert api.lease["spec"]["holderIdentity"] == "", "the lease was given back"


@pytest.mark.parametrize(
    "api",
    [
        {
            "holderIdentity": "another",
            "leaseDurationSeconds": 15,
            "renewTime": "x",
            "acquireTime": "y",
        }
    ],
    indirect=True,
)
def test_who_waits_for_the_lease_is_healthy_and_can_be_told_to_stop(
    api: LeaseServer, tmp_path: Path
) -> None:
    port, pulse = free_port(), probes.Pulse()
    alive = vitals(tmp_path, api, port, pulse)

    async def lead() -> None:
        raise AssertionError("it does not lead")

    async def whole() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(alive.run(lead, stopping))
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await asyncio.to_thread(ask, port) == (200, "ok")
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        stopping.set()
        await running

    asyncio.run(asyncio.wait_for(whole(), 60))
    assert api.written == []


def test_an_event_loop_that_stands_still_for_long_is_unhealthy() -> None:
    now = 100.0
    pulse = probes.Pulse(lambda: now)
    assert pulse.healthy() == ""
    now += probes.STILL_SECONDS + 5
    assert pulse.healthy() == "the event loop has been blocked for 65 s"
