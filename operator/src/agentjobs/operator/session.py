"""Kopf's connection, with answers measured before parsing and made small before they are kept.

Kopf parses whole lists and lines by itself and keeps what it parsed in a task for each object. Two
hooks make the change possible: Kopf accepts a session (`kopf.AiohttpSession`), and aiohttp a class
of responses. Of a response Kopf uses `json()` for lists and `content.iter_chunked()` for watches.
`tests/contract/test_kopf_session.py` checks that against Kopf's code.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar, Final, Self

import aiohttp
import kopf

from agentjobs.core.wire.bodies import read, read_event, sized, slim
from agentjobs.core.wire.bounded import Malformed
from agentjobs.core.wire.items import Items

log = logging.getLogger(__name__)

CHUNK_BYTES: Final = 64 * 1024
LARGE_BYTES: Final = 64 * 1024
"""An object of this size is not read on the event loop.

It takes milliseconds, and a malicious one half a second."""
MAX_LINE_BYTES: Final = 32 * 1024 * 1024
GONE: Final = 410
"""On this error Kopf lists and watches again; on any other it ends the operator."""
KOPFS_OWN: Final = frozenset({401, 403, 429})
"""The 4xx answers that Kopf handles: with new credentials, or another try.

On any other it ends the operator."""
ERROR_SECONDS: Final = 1.0
"""How long a watch waits after the API server ended it with an error.

It waits twice as long after each further error in a row."""
MAX_ERROR_SECONDS: Final = 30.0


def session(
    info: kopf.ConnectionInfo, listed: Callable[[str, int], None] = lambda _plural, _version: None
) -> kopf.AiohttpSession:
    """A session for Kopf with these credentials.

    `listed` is called with the plural and the version of each list that is complete.
    """
    connector = aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context())

    class Own(Response):
        pauses = Pauses()

        def listed(self, version: int) -> None:
            listed(self._plural, version)

    own = aiohttp.ClientSession(
        connector=connector, headers=info.as_http_headers(), trust_env=False, response_class=Own
    )
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=own,
    )


class Pauses:
    """The pauses after errors of a stream, by the plural of its kind."""

    def __init__(self) -> None:
        self._errors: Counter[str] = Counter()

    async def after(self, plural: str) -> None:
        """Waits after an error."""
        seconds = min(ERROR_SECONDS * 2.0 ** self._errors[plural], MAX_ERROR_SECONDS)
        self._errors[plural] = min(self._errors[plural] + 1, 10)
        await asyncio.sleep(seconds)

    def over(self, plural: str) -> None:
        """Call when something else came: the next error is a first one."""
        self._errors.pop(plural, None)


class Response(aiohttp.ClientResponse):
    """A response that keeps what is left of an unreadable object or line, and reads all others."""

    pauses: ClassVar[Pauses]
    """The pauses of one session."""
    _lines: _Lines | None = None
    """None until the answer begins, as in aiohttp's own class."""

    def listed(self, version: int) -> None:
        """Called when a list of this version is complete."""

    @property
    def content(self) -> Any:
        """The body, whose lines are made small when they are read."""
        return self._lines

    @content.setter
    def content(self, stream: aiohttp.StreamReader | None) -> None:
        self._lines = None if stream is None else _Lines(stream, self._plural, self.pauses)

    @property
    def _plural(self) -> str:
        return self.url.path.rstrip("/").rpartition("/")[2]

    async def start(self, connection: Any) -> Self:
        """Makes Kopf begin a list or a watch again that is refused in a way it does not retry.

        That is 404, or 410 where a page has expired.
        """
        await super().start(connection)
        watch, listing = "watch" in self.url.query, "limit" in self.url.query
        is_refused = 400 <= self.status < 500 and self.status not in KOPFS_OWN
        if is_refused and (watch or listing):
            what = "watch" if watch else "list", self._plural, self.status
            log.warning("the %s of %s was answered with %s; it is started again", *what)
            await self.pauses.after(self._plural)
            if not watch:
                raise aiohttp.ClientPayloadError(f"{self.status}")
            self.status, self.content.refused = 200, True
        return self

    async def json(self, **_: Any) -> Any:
        """The list with its objects made small, or any other answer."""
        items, found = Items(), []
        try:
            while chunk := await self.content.read(CHUNK_BYTES):
                found += [await _small(self._plural, text) for text in items.feed(chunk)]
            found += [await _small(self._plural, text) for text in items.finish()]
            around = items.around()
        except Malformed as error:
            # For an error that is not JSON Kopf expects this exception; for any other answer it
            # would end the operator.
            if self.status < 400:
                await self.pauses.after(self._plural)
                raise aiohttp.ClientPayloadError(f"the list of {self._plural} {error}") from error
            raise json.JSONDecodeError(str(error), "", 0) from error
        metadata = around.get("metadata") or {}
        version = str(metadata.get("resourceVersion", ""))
        is_last = version.isdecimal() and not metadata.get("continue")
        if is_last and self.status < 400 and "limit" in self.url.query:
            self.listed(int(version))
        return {**around, items.key: found} if items.key in around else around


class _Lines:
    """aiohttp's stream, except for the one method that Kopf calls on the body of a watch."""

    def __init__(self, stream: aiohttp.StreamReader, plural: str, pauses: Pauses) -> None:
        self._stream = stream
        self._plural = plural
        self._pauses = pauses
        self.refused = False
        """The body is replaced by the line on which Kopf lists again."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """Yields whole lines."""
        if self.refused:
            yield json.dumps({"type": "ERROR", "object": {"code": GONE}}).encode() + b"\n"
            return
        buffer, known = bytearray(), 0
        async for chunk in self._stream.iter_chunked(CHUNK_BYTES):
            buffer += chunk
            while (end := buffer.find(b"\n", known)) >= 0:
                line, known = bytes(buffer[:end]), 0
                del buffer[: end + 1]
                yield await self._line(line)
            known = len(buffer)
            if known > MAX_LINE_BYTES:
                raise aiohttp.ClientPayloadError(
                    f"a line of the watch has more than {MAX_LINE_BYTES} bytes"
                )

    async def _line(self, line: bytes) -> bytes:
        try:
            event = await _off_the_loop(read_event, line)
            if event["type"] == "ERROR":
                await self._ended(event["object"])
            else:
                self._pauses.over(self._plural)
            event["object"] = sized(slim(self._plural, event["object"]), line)
        except (Malformed, KeyError, TypeError, AttributeError) as error:
            kind = type(error).__name__
            # No traceback: it could hold the line.
            log.error("a line of the watch of %s cannot be read: %s", self._plural, kind)  # noqa: TRY400
            return b""
        return json.dumps(event).encode() + b"\n"

    async def _ended(self, status: dict[str, Any]) -> None:
        """Makes Kopf list again after an error, and waits.

        An API server that restarts, or has lost etcd, ends watches with 500 or 504.
        """
        if status.get("code") != GONE:
            log.warning(
                "the watch of %s ended with error %s; it is started again",
                self._plural,
                status.get("code"),
            )
            status["code"] = GONE
        await self._pauses.after(self._plural)


async def _small(plural: str, text: bytes) -> Any:
    return sized(slim(plural, await _off_the_loop(read, text)), text)


async def _off_the_loop(reader: Callable[[bytes], dict[str, Any]], text: bytes) -> dict[str, Any]:
    return await asyncio.to_thread(reader, text) if len(text) > LARGE_BYTES else reader(text)
