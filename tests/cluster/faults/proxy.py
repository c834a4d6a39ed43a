"""Between one operator and the API server: tells what passes, and lets a fault have its way.

An operator sees one namespace through it, as if that were the whole cluster, and gets its lease
from here: so many operators, each with a fault of its own, work side by side on one cluster.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Literal, Protocol, Self

import aiohttp
from aiohttp import web

Json = dict[str, Any]
Kind = Literal["write", "list", "watch", "get", "lease"]

JSON: Final = "application/json"
NAMESPACED: Final = frozenset(
    "scheduledagentjobs agentjobruns agentjobapprovals packageapprovals cronjobs jobs pods"
    " configmaps".split()
)
"""What the operator watches."""
PASSED_ON: Final = ("Accept", "Content-Type")


@dataclass(frozen=True)
class Answer:
    """What the operator gets to hear. A status of 0: the connection is cut instead."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    retry_after: str = ""


CUT: Final = Answer(0)


@dataclass(frozen=True)
class Asked:
    """One request.

    `number`: of a write, how many there were before it since the fault was armed.
    """

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    number: int = -1

    @property
    def kind(self) -> Kind:
        if "/leases" in self.path:
            return "lease"
        if self.method != "GET":
            return "write"
        if self.query.get("watch") in ("true", "1"):
            return "watch"
        return "list" if self.thing in NAMESPACED and self.path.endswith(self.thing) else "get"

    @property
    def thing(self) -> str:
        """The resource's plural."""
        parts = self.path.split("/")
        return next((part for part in reversed(parts) if part in NAMESPACED), parts[-1])

    @property
    def target(self) -> tuple[str, str, str]:
        """Equal for a request and its repetition."""
        name = ""
        if self.method == "POST":
            name = str(json.loads(self.body)["metadata"].get("name"))
        return self.method, self.path, name or json.dumps(sorted(self.query.items()))

    def words(self) -> str:
        """For people: `PATCH agentjobruns/morning/status`."""
        name = f"/{self.target[2]}" if self.method == "POST" else ""
        return f"{self.method} {self.thing}{self.path.rpartition(self.thing)[2]}{name}"


Send = Callable[[], Awaitable[Answer]]


class Strikes(Protocol):
    """What may happen to whatever passes."""

    async def answer(self, asked: Asked, send: Send) -> Answer:
        """To a request; `send` carries it out."""
        ...

    async def opens(self, asked: Asked) -> Answer | None:
        """To the opening of a watch: None lets it happen."""
        ...

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        """To an event of a watch: whether it is told, once this returns."""
        ...


@dataclass(frozen=True)
class Upstream:
    """The API server, as the operator's account."""

    session: aiohttp.ClientSession
    token: str

    def ask(self, asked: Asked) -> Any:
        """An aiohttp request context."""
        headers = {**asked.headers, "Authorization": f"Bearer {self.token}"}
        return self.session.request(
            asked.method, asked.path, params=asked.query, data=asked.body or None, headers=headers
        )


def refusal(status: int, reason: str, message: str, retry_after: str = "") -> Answer:
    """As the API server says no."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
    told = json.dumps({**body, "reason": reason, "message": message}).encode()
    return Answer(status, told, retry_after=retry_after)


def confined(path: str, namespace: str) -> str:
    """What is asked of all namespaces is asked of this one."""
    parts = path.strip("/").split("/")
    head = 2 if parts[0] == "api" else 3
    if len(parts) == head + 1 and parts[head] in NAMESPACED:
        parts[head:head] = ["namespaces", namespace]
    return "/" + "/".join(parts)


@dataclass
class Proxy:
    """Listens on the loopback interface while it is entered. `armed`: whether the fault strikes."""

    upstream: Upstream
    namespace: str
    fault: Strikes
    armed: bool = False
    writes: list[Asked] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)
    in_flight: int = 0
    changed: float = 0.0
    port: int = 0
    _lease: Json | None = None
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        server = web.Server(self._handle)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)  # type: ignore[assignment]
        assert self._runner is not None
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def arm(self) -> None:
        """From now on, and writes are counted from here."""
        self.armed = True
        self.writes.clear()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        path, query = confined(request.path, self.namespace), dict(request.query)
        asked = Asked(request.method, path, query, await request.read(), headers, len(self.writes))
        if asked.kind == "lease":
            return self._lease_of_its_own(asked)
        if asked.kind == "watch":
            return await self._watch(request, asked)
        if asked.kind == "write":
            self.writes.append(asked)
        if asked.thing in NAMESPACED:
            self.changed = monotonic()
        self.in_flight += 1
        try:
            answer = await self._answer(asked)
        finally:
            self.in_flight -= 1
        return self._told(request, answer)

    async def _answer(self, asked: Asked) -> Answer:
        async def send() -> Answer:
            return await self._send(asked)

        return await (self.fault.answer(asked, send) if self.armed else send())

    async def _send(self, asked: Asked) -> Answer:
        try:
            async with self.upstream.ask(asked) as response:
                return Answer(response.status, await response.read(), response.content_type)
        except (aiohttp.ClientError, OSError, RuntimeError):
            return CUT  # a closed session, when all ends, is a RuntimeError

    @staticmethod
    def _told(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer is CUT:
            if request.transport:
                request.transport.abort()
            return web.Response(status=503)
        more = {"Retry-After": answer.retry_after} if answer.retry_after else {}
        return web.Response(
            status=answer.status, body=answer.body, content_type=answer.content_type, headers=more
        )

    async def _watch(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        if self.armed and (instead := await self.fault.opens(asked)):
            return self._told(request, instead)
        async with self.upstream.ask(asked) as response:
            if response.status != 200:
                body = await response.read()
                return self._told(request, Answer(response.status, body, response.content_type))
            stream = web.StreamResponse(headers={"Content-Type": JSON})
            await stream.prepare(request)
            self.streams.add(asked.thing)
            lines: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
            reading = asyncio.create_task(self._read(response, lines))
            try:
                await self._tell(request, stream, asked, lines)
            except (ConnectionError, aiohttp.ClientError):
                pass  # the operator is gone
            finally:
                reading.cancel()
        return stream

    @staticmethod
    async def _read(response: Any, lines: asyncio.Queue[tuple[float, bytes]]) -> None:
        try:
            async for line in response.content:
                lines.put_nowait((monotonic(), line))
        except (aiohttp.ClientError, OSError):
            pass  # as if the API server had ended it
        finally:
            lines.put_nowait((monotonic(), b""))

    async def _tell(
        self,
        request: web.BaseRequest,
        stream: web.StreamResponse,
        asked: Asked,
        lines: asyncio.Queue[tuple[float, bytes]],
    ) -> None:
        while True:
            arrived, line = await lines.get()
            if not line:
                return
            if self.armed and not await self.fault.hears(asked, json.loads(line), arrived):
                continue
            self.changed = monotonic()
            await stream.write(line)

    def _lease_of_its_own(self, asked: Asked) -> web.Response:
        """Whoever asks here leads."""
        if asked.method == "GET" and self._lease is None:
            answer = refusal(404, "NotFound", "no lease yet")
            return web.Response(status=404, body=answer.body, content_type=JSON)
        if asked.method != "GET":
            self._lease = json.loads(asked.body)
            self._lease["metadata"]["resourceVersion"] = str(int(monotonic() * 1000))
        return web.json_response(self._lease)
