"""Requests to the API server, as plain JSON.

The typed API classes of the client would take 30 MiB more; requests and answers here are dicts. An
object that cannot be read is returned as what is left of it (`core.wire.bodies`), and does not
break a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

import aiohttp

from agentjobs.api.kinds import KINDS, address
from agentjobs.cluster.clock import Clock, steady
from agentjobs.core.errors import ClusterError, Conflict, NotFound, Refused
from agentjobs.core.plan import PATCH, Write
from agentjobs.core.wire import bodies, bounded
from agentjobs.core.wire.items import Items

Json = dict[str, Any]

TIMEOUT_SECONDS: Final = 15.0
PAGE: Final = 500
CHUNK_BYTES: Final = 64 * 1024
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""The largest answer: one object, or the lines of a log.

Of a log a runtime keeps a file of 10 MiB by default."""
MAX_REFUSAL_BYTES: Final = 64 * 1024
LARGE_BYTES: Final = 64 * 1024
"""An object of this size is not read on the event loop.

It takes milliseconds, and a malicious one half a second."""
JSON: Final = "application/json"
MERGE_PATCH: Final = f"application/{PATCH}-patch+json"
TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA: Final = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
REFUSALS: Final = frozenset({400, 403, 405, 413, 422})
METHODS: Final = {"create": "POST", "replace": "PUT", "patch": "PATCH", "delete": "DELETE"}


class Api(Protocol):
    """What observing and executing need of an API server; `Cluster` says what each method does."""

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json: ...

    def list(
        self, kind: str, namespace: str = "", *, accept: str = "application/json", **selectors: str
    ) -> AsyncIterator[Json]: ...

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes: ...

    async def write(self, namespace: str, write: Write) -> Json: ...


async def find(api: Api, kind: str, namespace: str, name: str, accept: str = JSON) -> Json | None:
    """One object; None where it does not exist."""
    try:
        return await api.get(kind, namespace, name, accept=accept)
    except NotFound:
        return None


class Transport(Protocol):
    """How requests reach an API server, and in whose name."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        query: Mapping[str, str],
        body: Any,
    ) -> aiohttp.ClientResponse:
        """Returns the answer, whose body is still to be read.

        Raises aiohttp.ClientError, TimeoutError or OSError when there was none.
        """


class Cluster:
    """Requests to one API server.

    They raise NotFound, Conflict, Refused or ClusterError, each with the request and the server's
    answer.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.clock = Clock(steady())
        self._requests = 0

    def take_requests(self) -> int:
        """Answers received since this was last asked, for the metrics."""
        count, self._requests = self._requests, 0
        return count

    async def get(
        self,
        kind: str,
        namespace: str,
        name: str,
        *,
        accept: str = JSON,
        seconds: float = TIMEOUT_SECONDS,
    ) -> Json:
        """Returns one object. Raises NotFound. `seconds`: how long to wait for the answer."""
        return await _object(
            await self._request("GET", _path(kind, namespace, name), accept=accept, seconds=seconds)
        )

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = JSON, **selectors: str
    ) -> AsyncIterator[Json]:
        """Yields the objects of one namespace or of all, some at a time as they arrive.

        They are in `items`, for a Table in `rows` with its columns.

        After the objects of each answer comes its `metadata`, with its version, and without
        objects.
        """
        query, request = {**selectors, "limit": str(PAGE)}, f"GET {_path(kind, namespace)}"
        while True:
            items = Items()
            response = await self._open("GET", _path(kind, namespace), accept=accept, query=query)
            try:
                while chunk := await _next_chunk(request, response):
                    if texts := items.feed(chunk):
                        yield await _page(items, texts)
                if texts := items.finish():
                    yield await _page(items, texts)
                around = items.around()
            except bounded.Malformed as error:
                raise ClusterError(f"{request}: the answer {error}") from error
            finally:
                response.close()
            metadata = around.get("metadata") or {}
            yield {**around, items.key: []}
            token = metadata.get("continue")
            if not token:
                return
            query = {**query, "continue": token}

    async def served(self, group: str, version: str) -> frozenset[str]:
        """The plurals of the kinds that the API server shows in this group and version.

        Raises NotFound while it shows none.
        """
        body = await _object(await self._request("GET", f"/apis/{group}/{version}"))
        return frozenset(resource["name"] for resource in body.get("resources") or ())

    async def log(self, namespace: str, pod: str, container: str, tail_lines: int) -> bytes:
        """Returns the last lines of a container's log, unchanged."""
        query = {"container": container, "tailLines": str(tail_lines)}
        return await self._request(
            "GET", _path("pod", namespace, pod) + "/log", accept="*/*", query=query
        )

    async def changes(
        self, kind: str, namespace: str, seconds: int, *, accept: str = JSON, **selectors: str
    ) -> AsyncIterator[tuple[str, Json]]:
        """Yields objects as they are, then what becomes of them, for so many seconds.

        With the API server's word for it: ADDED, MODIFIED, DELETED. Raises ClusterError.
        """
        path = _path(kind, namespace)
        query = {**selectors, "watch": "1", "timeoutSeconds": str(seconds)}
        async for line in self._lines(path, query, seconds, accept=accept):
            event = await _object(line, bodies.read_event)
            if event["type"] == "ERROR":
                raise ClusterError(f"GET {path}: {event['object'].get('message')}")
            if event["type"] != "BOOKMARK":
                yield event["type"], event["object"]

    async def follow(
        self, namespace: str, pod: str, container: str, seconds: int
    ) -> AsyncIterator[bytes]:
        """Yields the lines of a container's log, and those to come until it ends.

        Each has its line break; the last one may lack it.
        """
        query = {"container": container, "follow": "true"}
        path = _path("pod", namespace, pod) + "/log"
        async for line in self._lines(path, query, seconds, accept="*/*"):
            yield line

    async def _lines(
        self, path: str, query: Mapping[str, str], seconds: int, accept: str = JSON
    ) -> AsyncIterator[bytes]:
        response = await self._open("GET", path, accept=accept, query=query)
        buffer = bytearray()
        try:
            with _no_answer(f"GET {path}"):
                async with asyncio.timeout(seconds + TIMEOUT_SECONDS):
                    while chunk := await response.content.read(CHUNK_BYTES):
                        *lines, rest = (bytes(buffer) + chunk).split(b"\n")
                        for line in lines:
                            yield line + b"\n"
                        if len(rest) > MAX_ANSWER_BYTES:
                            raise ClusterError(f"GET {path}: a line is too long")
                        buffer[:] = rest
            if buffer:
                yield bytes(buffer)
        finally:
            response.close()

    async def write(
        self, namespace: str, write: Write, *, seconds: float = TIMEOUT_SECONDS
    ) -> Json:
        """Carries out a write; returns the object as the server has it afterwards.

        `seconds`: how long to wait for the answer.
        """
        name = "" if write.verb == "create" else write.name
        path = address(KINDS[write.kind].path, namespace, name, write.subresource)
        content_type = MERGE_PATCH if write.verb == "patch" else JSON
        return await _object(
            await self._request(
                METHODS[write.verb],
                path,
                body=write.sent,
                content_type=content_type,
                seconds=seconds,
            )
        )

    async def _request(
        self, method: str, path: str, *, seconds: float = TIMEOUT_SECONDS, **more: Any
    ) -> bytes:
        with _no_answer(f"{method} {path}"):
            async with asyncio.timeout(seconds):
                data = await _whole(
                    await self._open(method, path, seconds=seconds, **more), MAX_ANSWER_BYTES
                )
        if len(data) > MAX_ANSWER_BYTES:
            raise ClusterError(
                f"{method} {path}: the answer has more than {MAX_ANSWER_BYTES} bytes"
            )
        return data

    async def _open(
        self,
        method: str,
        path: str,
        *,
        accept: str = JSON,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        seconds: float = TIMEOUT_SECONDS,
    ) -> aiohttp.ClientResponse:
        """Returns a successful answer, whose body is still to be read.

        Raises ClusterError for any other.
        """
        headers, sent = {"Accept": accept, "Content-Type": content_type}, self.clock.own()
        with _no_answer(f"{method} {path}"):
            async with asyncio.timeout(seconds):
                response = await self.transport.send(
                    method, path, headers=headers, query=query or {}, body=body
                )
                self._requests += 1
                self.clock.hear(response.headers.get("Date"), sent)
                if response.status < 300:
                    return response
                said = await _whole(response, MAX_REFUSAL_BYTES)
        raise _error(f"{method} {path}", response.status, said)


@contextmanager
def _no_answer(request: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ClusterError(f"{request}: no answer: {type(error).__name__}") from error


async def _whole(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Reads a body to its end, or until it has more bytes than `most`."""
    data = bytearray()
    try:
        while len(data) <= most and (chunk := await response.content.read(CHUNK_BYTES)):
            data += chunk
    finally:
        response.close()
    return bytes(data)


async def _next_chunk(request: str, response: aiohttp.ClientResponse) -> bytes:
    with _no_answer(request):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await response.content.read(CHUNK_BYTES)


async def _page(items: Items, texts: list[bytes]) -> Json:
    columns = items.before().get("columnDefinitions")
    reader = bodies.read_row if items.key == "rows" else bodies.read
    return {
        "columnDefinitions": columns,
        items.key: [await _object(text, reader) for text in texts],
    }


async def _object(text: bytes, reader: Callable[[bytes], Json] = bodies.read) -> Json:
    try:
        body = await asyncio.to_thread(reader, text) if len(text) > LARGE_BYTES else reader(text)
    except bounded.Malformed as error:
        raise ClusterError(f"the API server's answer {error}") from error
    (body.get("metadata") or {}).pop("managedFields", None)
    return bodies.sized(body, text)


def _path(kind: str, namespace: str, name: str = "") -> str:
    return address(KINDS[kind].path, namespace, name)


def _error(request: str, status: int, data: bytes) -> ClusterError:
    try:
        said = str(
            bounded.loads(data, max_bytes=2 * MAX_REFUSAL_BYTES, max_depth=bodies.MAX_DEPTH).get(
                "message", ""
            )
        )
    except (ValueError, AttributeError):
        said = data[:200].decode(errors="replace")
    kind = {404: NotFound, 409: Conflict}.get(
        status, Refused if status in REFUSALS else ClusterError
    )
    return kind(f"{request}: {status}: {said[:1000]}", status)
