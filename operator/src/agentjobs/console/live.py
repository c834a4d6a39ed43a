"""What changes while a page is open, as server-sent events, watched as the person who looks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from agentjobs.cluster.client import TABLE, Json
from agentjobs.console import reading
from agentjobs.console.render import now
from agentjobs.console.visitor import Visitor
from agentjobs.core.errors import ClusterError, NotFound
from agentjobs.present import rows
from agentjobs.present.output import ENVELOPE
from agentjobs.present.text import at, visible, when

SECONDS: Final = 1800
"""A stream ends after that; the browser opens it again."""
SILENCE: Final = 15.0
"""Seconds after which a comment says that the stream is still there."""
AGAIN: Final = 1.0
AT_ONCE: Final = 6
"""Streams of one person; a browser opens no more to one place either."""
IN_ALL: Final = 50
LINES_AT_ONCE: Final = 200
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_open: Counter[str] = Counter()


def _event(name: str, data: Any, number: str = "") -> bytes:
    known = f"id: {number}\n" if number else ""
    return f"{known}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def stream(visitor: Visitor, events: AsyncIterator[bytes]) -> Response:
    """The events until there are no more, or nobody reads them."""
    if _open[visitor.name] >= AT_ONCE or _open.total() >= IN_ALL:
        return PlainTextResponse("Too many pages are open.\n", 503, {"Retry-After": "30"})
    return StreamingResponse(_counted(visitor, events), 200, HEADERS, "text/event-stream")


async def _counted(visitor: Visitor, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    _open[visitor.name] += 1
    try:
        yield b"retry: 3000\n\n"
        async for event in _with_signs_of_life(events):
            yield event
    except ClusterError as error:
        yield _event("problem", visible(str(error)))
    finally:
        _open[visitor.name] -= 1


async def _with_signs_of_life(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events, and comments where none came for some time: a proxy may end a silent stream."""
    waiting = asyncio.ensure_future(anext(events))
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=SILENCE)
                if not done:
                    yield b": still here\n\n"
                    continue
                try:
                    yield waiting.result()
                except StopAsyncIteration:
                    return
                waiting = asyncio.ensure_future(anext(events))
    except TimeoutError:
        return
    finally:
        waiting.cancel()
        with suppress(BaseException):
            await waiting


async def run(request: Request, visitor: Visitor) -> Response:
    """A run while it goes on: its state, and its output as it comes."""
    namespace, name = (request.path_params[part] for part in ("namespace", "name"))
    return stream(visitor, _run(visitor, namespace, name))


async def _run(visitor: Visitor, namespace: str, name: str) -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=16)
    watching = asyncio.create_task(_watch_run(visitor, namespace, name, queue))
    try:
        while (event := await queue.get()) is not None:
            yield event
    finally:
        watching.cancel()


async def _watch_run(
    visitor: Visitor, namespace: str, name: str, queue: asyncio.Queue[bytes | None]
) -> None:
    """Puts events until the run is final; None ends them."""
    printing: asyncio.Task[None] | None = None
    try:
        changes = visitor.cluster.changes(
            "run", namespace, SECONDS, fieldSelector=f"metadata.name={name}"
        )
        async for word, record in changes:
            if word == "DELETED":
                break
            await queue.put(_event("state", _state(record)))
            pod = at(record, "status", "podName")
            if pod and printing is None and at(record, "status", "phase") == "Running":
                printing = asyncio.create_task(_print(visitor, namespace, pod, queue))
            if at(record, "status", "phase") in rows.FINAL:
                break
        if printing:
            with suppress(TimeoutError):
                await asyncio.wait_for(printing, SILENCE)
        await queue.put(_event("end", ""))
    except ClusterError as error:
        await queue.put(_event("problem", visible(str(error))))
    finally:
        if printing:
            printing.cancel()
        await queue.put(None)


def _state(record: Json) -> Json:
    word = rows.run_status(record)
    return {
        "word": word,
        "tone": rows.tone_of(word),
        "reason": visible(str(at(record, "status", "reason") or "")),
        "message": visible(str(at(record, "status", "message") or "")),
    }


async def _print(
    visitor: Visitor, namespace: str, pod: str, queue: asyncio.Queue[bytes | None]
) -> None:
    lines: list[str] = []
    try:
        async for line in visitor.cluster.follow(namespace, pod, "runner", SECONDS):
            if not ENVELOPE.match(line):
                lines.append(visible(line.decode(errors="replace").rstrip("\r\n")))
            if lines and (queue.empty() or len(lines) >= LINES_AT_ONCE):
                await queue.put(_event("lines", lines))
                lines = []
    except NotFound:
        pass
    except ClusterError as error:
        await queue.put(_event("problem", visible(str(error))))
    if lines:
        await queue.put(_event("lines", lines))


async def jobs(request: Request, visitor: Visitor) -> Response:
    """The rows of the list that is open: `job` for each, as namespace/name."""
    given = request.query_params
    since = request.headers.get("last-event-id") or given.get("since", "")
    wanted = frozenset(given.getlist("job")[:200])
    return stream(visitor, _jobs(visitor, given.get("namespace", ""), since, wanted))


async def _jobs(
    visitor: Visitor, namespace: str, since: str, wanted: frozenset[str]
) -> AsyncIterator[bytes]:
    changes = visitor.cluster.changes(
        "job", namespace, SECONDS, accept=TABLE, resourceVersion=since
    )
    columns: list[str] = []
    async for word, table in changes:
        columns = [str(each["name"]) for each in table.get("columnDefinitions") or ()] or columns
        for row in table.get("rows") or ():
            job = reading.job_of_row(columns, row)
            metadata = job["metadata"]
            if f"{metadata.get('namespace')}/{metadata.get('name')}" in wanted:
                yield _event("job", _row(word, job), str(metadata.get("resourceVersion", "")))


def _row(word: str, job: Json) -> Json:
    status, approval, moment = rows.status(job), rows.approval(job), now()
    start = str(at(job, "status", "nextRunAt") or "")
    return {
        "id": f"job-{at(job, 'metadata', 'namespace')}-{at(job, 'metadata', 'name')}",
        "gone": word == "DELETED",
        "status": {"text": status, "tone": rows.tone_of(status) or "plain"},
        "approval": {"text": approval, "tone": rows.tone_of(approval) or "plain"},
        "schedule": {"text": rows.schedule(job)},
        "next": {"text": rows.next_run(job, moment), "time": start},
        "last": {"text": when(at(job, "status", "lastRunAt"), moment)},
    }
