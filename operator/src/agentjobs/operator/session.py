"""Kopf's connection, with answers that are measured before they are parsed, and made small before they are kept.

Kopf parses whole lists and lines by itself and keeps what it parsed in a task for each object. Its way to be given a session of one's own
(`kopf.AiohttpSession`) and aiohttp's to be given a class of responses are the seam: what Kopf asks of a response is `json()` for lists and
`content.iter_chunked()` for watches. `tests/contract/test_kopf_session.py` holds that together with Kopf's code.
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
"""An object of this size takes milliseconds to read, one that somebody made to be slow half a second: not on the event loop."""
MAX_LINE_BYTES: Final = 32 * 1024 * 1024
GONE: Final = 410
"""On this error Kopf lists and watches anew; on any other it ends the operator."""
KOPFS_OWN: Final = frozenset({401, 403, 429})
"""Of the answers 4xx those that Kopf has an answer to: new credentials, or another try. On any other it ends the operator."""
ERROR_SECONDS: Final = 1.0
"""How long a watch waits that the API server ended with an error; the double after each that follows with nothing between."""
MAX_ERROR_SECONDS: Final = 30.0


def session(info: kopf.ConnectionInfo, listed: Callable[[str, int], None] = lambda _plural, _version: None) -> kopf.AiohttpSession:
    """For Kopf, with these credentials. `listed`: is told the plural and the version of each list that came to its end."""
    connector = aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context())

    class Own(Response):
        pauses = Pauses()

        def listed(self, version: int) -> None:
            listed(self._plural, version)

    own = aiohttp.ClientSession(connector=connector, headers=info.as_http_headers(), trust_env=False, response_class=Own)
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=own,
    )


class Pauses:
    """Between the errors of a stream, by the plural of its kind."""

    def __init__(self) -> None:
        self._errors: Counter[str] = Counter()

    async def after(self, plural: str) -> None:
        """An error came: wait."""
        seconds = min(ERROR_SECONDS * 2.0 ** self._errors[plural], MAX_ERROR_SECONDS)
        self._errors[plural] = min(self._errors[plural] + 1, 10)
        await asyncio.sleep(seconds)

    def over(self, plural: str) -> None:
        """Something else came."""
        self._errors.pop(plural, None)


class Response(aiohttp.ClientResponse):
    """An object of a list or a line of a watch that cannot be read is what is left of it; the others are not concerned."""

    pauses: ClassVar[Pauses]
    """Of one session."""
    _lines: _Lines | None = None
    """None until the answer begins, as aiohttp's own has it: a connection can be lost before that."""

    def listed(self, version: int) -> None:
        """A list of this version came to its end."""

    @property
    def content(self) -> Any:
        """The body, its lines made small where they are asked for."""
        return self._lines

    @content.setter
    def content(self, stream: aiohttp.StreamReader | None) -> None:
        self._lines = None if stream is None else _Lines(stream, self._plural, self.pauses)

    @property
    def _plural(self) -> str:
        return self.url.path.rstrip("/").rpartition("/")[2]

    async def start(self, connection: Any) -> Self:
        """A list or a watch that is refused in a way that Kopf does not try again (404, or 410 where a page has expired) begins anew."""
        await super().start(connection)
        watch = "watch" in self.url.query
        if 400 <= self.status < 500 and self.status not in KOPFS_OWN and (watch or "limit" in self.url.query):
            log.warning("the %s of %s was answered with %s; it begins anew", "watch" if watch else "list", self._plural, self.status)
            await self.pauses.after(self._plural)
            if not watch:
                raise aiohttp.ClientPayloadError(f"{self.status}")
            self.status, self.content.refused = 200, True
        return self

    async def json(self, **_: Any) -> Any:
        """The list, its objects made small, or any other answer."""
        items, found = Items(), []
        try:
            while chunk := await self.content.read(CHUNK_BYTES):
                found += [await _small(self._plural, text) for text in items.feed(chunk)]
            found += [await _small(self._plural, text) for text in items.finish()]
            around = items.around()
        except Malformed as error:
            # What Kopf expects of an answer that is no JSON, where it is one of an error; any other it takes for the operator's end.
            if self.status < 400:
                await self.pauses.after(self._plural)
                raise aiohttp.ClientPayloadError(f"the list of {self._plural} {error}") from error
            raise json.JSONDecodeError(str(error), "", 0) from error
        metadata = around.get("metadata") or {}
        version = str(metadata.get("resourceVersion", ""))
        if "limit" in self.url.query and self.status < 400 and version.isdecimal() and not metadata.get("continue"):
            self.listed(int(version))
        return {**around, items.key: found} if items.key in around else around


class _Lines:
    """aiohttp's stream, but for the one thing that Kopf asks of the body of a watch."""

    def __init__(self, stream: aiohttp.StreamReader, plural: str, pauses: Pauses) -> None:
        self._stream = stream
        self._plural = plural
        self._pauses = pauses
        self.refused = False
        """Instead of what stands there comes the line on which Kopf lists anew."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """Whole lines."""
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
                raise aiohttp.ClientPayloadError(f"a line of the watch has more than {MAX_LINE_BYTES} bytes")

    async def _line(self, line: bytes) -> bytes:
        try:
            event = await _off_the_loop(read_event, line)
            if event["type"] == "ERROR":
                await self._ended(event["object"])
            else:
                self._pauses.over(self._plural)
            event["object"] = sized(slim(self._plural, event["object"]), line)
        except (Malformed, KeyError, TypeError, AttributeError) as error:
            log.error("a line of the watch of %s cannot be read: %s", self._plural, type(error).__name__)  # noqa: TRY400, the line stays out
            return b""
        return json.dumps(event).encode() + b"\n"

    async def _ended(self, status: dict[str, Any]) -> None:
        """An API server that is restarted, or has lost its etcd, ends watches with 500 or 504: that is no reason to stop operating."""
        if status.get("code") != GONE:
            log.warning("the watch of %s ended with error %s; it begins anew", self._plural, status.get("code"))
            status["code"] = GONE
        await self._pauses.after(self._plural)


async def _small(plural: str, text: bytes) -> Any:
    return sized(slim(plural, await _off_the_loop(read, text)), text)


async def _off_the_loop(reader: Callable[[bytes], dict[str, Any]], text: bytes) -> dict[str, Any]:
    return await asyncio.to_thread(reader, text) if len(text) > LARGE_BYTES else reader(text)
