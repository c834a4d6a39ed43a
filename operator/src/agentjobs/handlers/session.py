"""Kopf's connection, with answers that are measured before they are parsed, and made small before they are kept.

Kopf parses whole lists and lines by itself and keeps what it parsed in a task for each object. Its way to be given a session of one's own
(`kopf.AiohttpSession`) and aiohttp's to be given a class of responses are the seam: what Kopf asks of a response is `json()` for lists and
`content.iter_chunked()` for watches. `tests/contract/test_kopf_session.py` holds that together with Kopf's code.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import kopf

from agentjobs.core.bodies import read, read_event, sized, slim
from agentjobs.core.bounded import Malformed
from agentjobs.core.items import Items

log = logging.getLogger(__name__)

CHUNK_BYTES: Final = 64 * 1024
LARGE_BYTES: Final = 64 * 1024
"""An object of this size takes milliseconds to read, one that somebody made to be slow half a second: not on the event loop."""
MAX_LINE_BYTES: Final = 32 * 1024 * 1024
GONE: Final = 410
"""On this error Kopf lists and watches anew; on any other it ends the operator."""
ERROR_SECONDS: Final = 1.0
"""How long a watch waits that the API server ended with another error."""


def session(info: kopf.ConnectionInfo) -> kopf.AiohttpSession:
    """For Kopf, with these credentials."""
    connector = aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context())
    own = aiohttp.ClientSession(connector=connector, headers=info.as_http_headers(), trust_env=False, response_class=Response)
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=own,
    )


class Response(aiohttp.ClientResponse):
    """An object of a list or a line of a watch that cannot be read is what is left of it; the others are not concerned."""

    _lines: _Lines | None = None
    """None until the answer begins, as aiohttp's own has it: a connection can be lost before that."""

    @property
    def content(self) -> Any:
        """The body, its lines made small where they are asked for."""
        return self._lines

    @content.setter
    def content(self, stream: aiohttp.StreamReader | None) -> None:
        self._lines = None if stream is None else _Lines(stream, self._plural)

    @property
    def _plural(self) -> str:
        return self.url.path.rstrip("/").rpartition("/")[2]

    async def json(self, **_: Any) -> Any:
        """The list, its objects made small, or any other answer."""
        items, found = Items(), []
        try:
            while chunk := await self.content.read(CHUNK_BYTES):
                found += [await _small(self._plural, text) for text in items.feed(chunk)]
            found += [await _small(self._plural, text) for text in items.finish()]
            around = items.around()
        except Malformed as error:
            # What Kopf expects of an answer that is no JSON.
            raise json.JSONDecodeError(str(error), "", 0) from error
        return {**around, items.key: found} if items.key in around else around


class _Lines:
    """aiohttp's stream, but for the one thing that Kopf asks of the body of a watch."""

    def __init__(self, stream: aiohttp.StreamReader, plural: str) -> None:
        self._stream = stream
        self._plural = plural

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """Whole lines."""
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
            await asyncio.sleep(ERROR_SECONDS)


async def _small(plural: str, text: bytes) -> Any:
    return sized(slim(plural, await _off_the_loop(read, text)), text)


async def _off_the_loop(reader: Callable[[bytes], dict[str, Any]], text: bytes) -> dict[str, Any]:
    return await asyncio.to_thread(reader, text) if len(text) > LARGE_BYTES else reader(text)
