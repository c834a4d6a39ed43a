"""A small client of the API server: requests, and watches that note when each event arrived."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.kube_config import load_kube_config

Json = dict[str, Any]

REQUEST_SECONDS: Final = 60
WATCH_SECONDS: Final = 3600
GONE_SECONDS: Final = 180


class ClusterProblem(RuntimeError):
    """The cluster refused something, or is not as it has to be; the message says what.

    `status` is the HTTP status, 0 without an answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Seen:
    """A watch event.

    `clock` is time.perf_counter(), `wall` seconds since 1970, both of its arrival.
    """

    clock: float
    wall: float
    type: str
    object: Json

    @property
    def name(self) -> str:
        """Of the object."""
        return str(self.object["metadata"]["name"])


class Watch:
    """The events of one collection since it was opened."""

    def __init__(self) -> None:
        self.events: list[Seen] = []
        self._waiting: list[tuple[Callable[[Seen], bool], asyncio.Future[Seen]]] = []
        self._failure: ClusterProblem | None = None

    @property
    def failure(self) -> ClusterProblem | None:
        """Why no more events come; None while they do."""
        return self._failure

    async def until(self, wanted: Callable[[Seen], bool], seconds: float, what: str) -> Seen:
        """The first event since the opening that is wanted.

        Raises ClusterProblem when it does not come in time.
        """
        for seen in self.events:
            if wanted(seen):
                return seen
        if self._failure:
            raise self._failure
        future: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            raise ClusterProblem(f"not within {seconds:g} s: {what}") from None
        finally:
            self._waiting.remove((wanted, future))

    def saw(self, seen: Seen) -> None:
        """An event has arrived."""
        self.events.append(seen)
        for wanted, future in self._waiting:
            if not future.done() and wanted(seen):
                future.set_result(seen)

    def ended(self, why: str) -> None:
        """No more events come: who waits for one is told."""
        self._failure = ClusterProblem(f"the watch ended: {why}")
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(self._failure)


class Client:
    """Paths are without the leading slash."""

    def __init__(self, session: aiohttp.ClientSession, user: str = "") -> None:
        self._session = session
        self._headers = {"Impersonate-User": user} if user else {}

    def acting(self, user: str) -> Client:
        """The same, as this user."""
        return Client(self._session, user)

    async def request(
        self, method: str, path: str, body: Json | None = None, **query: str
    ) -> bytes:
        """Raises ClusterProblem for every answer that is not a success."""
        return await self.send(method, path, None if body is None else json.dumps(body), **query)

    async def send(self, method: str, path: str, text: str | None, **query: str) -> bytes:
        """As `request`, of a text that is sent as it is."""
        form = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Content-Type": form, **self._headers}
        data = None if text is None else text.encode()
        try:
            async with self._session.request(
                method, f"/{path}", data=data, params=query, headers=headers
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterProblem(f"{method} {path}: {type(error).__name__}: {error}") from error
        if response.status >= 300:
            said = answer[:300].decode(errors="replace")
            message = f"{method} {path}: {response.status}: {said}"
            raise ClusterProblem(message, response.status)
        return answer

    async def get(self, path: str, **query: str) -> Json:
        """One object, or one list."""
        found: Json = json.loads(await self.request("GET", path, None, **query))
        return found

    async def post(self, path: str, body: Json) -> Json:
        """The object as it was created."""
        found: Json = json.loads(await self.request("POST", path, body))
        return found

    async def patch(self, path: str, body: Json) -> None:
        """A merge patch."""
        await self.request("PATCH", path, body)

    async def delete(self, path: str) -> None:
        """That it is gone already is fine."""
        try:
            await self.request("DELETE", path, {"propagationPolicy": "Background"})
        except ClusterProblem as error:
            if error.status != 404:
                raise

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[Watch]:
        """From now on: what is there already is not told."""
        found = await self.get(path, limit="1", **query)
        version = found["metadata"]["resourceVersion"]
        watch = Watch()
        task = asyncio.create_task(self._read(watch, path, {**query, "resourceVersion": version}))
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _read(self, watch: Watch, path: str, query: dict[str, str]) -> None:
        parameters = {**query, "watch": "1", "timeoutSeconds": str(WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=None)
        try:
            async with self._session.get(
                f"/{path}", params=parameters, timeout=timeout
            ) as response:
                async for line in response.content:
                    clock, wall = time.perf_counter(), time.time()
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return watch.ended(str(event["object"].get("message")))
                    watch.saw(Seen(clock, wall, event["type"], event["object"]))
        except (aiohttp.ClientError, OSError) as error:
            return watch.ended(f"{type(error).__name__}: {error}")
        return watch.ended("the server closed it")

    @asynccontextmanager
    async def namespace(self, prefix: str, **labels: str) -> AsyncIterator[str]:
        """A fresh one; waits for its full deletion, so that it disturbs nothing that comes next."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        try:  # the request, too: interrupted, it may have reached the server
            await self.post("api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
            yield name
        finally:
            await self.delete(f"api/v1/namespaces/{name}")
            await self._gone(f"api/v1/namespaces/{name}")

    async def _gone(self, path: str) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while time.monotonic() < deadline:
            try:
                await self.get(path)
            except ClusterProblem as error:
                if error.status == 404:
                    return
                raise
            await asyncio.sleep(0.5)
        raise ClusterProblem(f"{path} is still there {GONE_SECONDS} s after its deletion")


@asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    """To the cluster of KUBECONFIG. No proxy is used: it would be measured, too."""
    configuration = Configuration()
    await load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    token = configuration.api_key.get("BearerToken")
    async with aiohttp.ClientSession(
        configuration.host,
        headers={"User-Agent": "agentjobs-testing", **({"Authorization": token} if token else {})},
        connector=aiohttp.TCPConnector(ssl=context, limit=0),
        timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        read_bufsize=2**21,
    ) as session:
        yield Client(session)
