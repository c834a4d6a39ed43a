"""Takes the answer to a list apart while it arrives.

It needs the memory of one object, however many there are.
"""

from __future__ import annotations

import re
from typing import Final

from agentjobs.core.wire.bodies import MAX_BYTES, MAX_DEPTH, TO_BRACKET, Json, masked
from agentjobs.core.wire.bounded import Malformed, loads

_LIST: Final = re.compile(rb'"(items|rows)"[ \n]*:[ \n]*\[\Z')
_NAME: Final = 32
"""How many bytes before its bracket the name of the list can begin."""
_IN_DOCUMENT, _IN_LIST = 1, 2


class Items:
    """Returns each object's text in `items`, or in `rows` of a Table, as soon as it is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._masked = bytearray()
        self._held = b""
        self._scanned = 0
        self._begin = -1
        self._depth = 0
        self._listing = False
        self._around = bytearray()
        self._before: bytes = b"{}"
        self._enough = 0
        self.key = "items"

    def feed(self, chunk: bytes) -> list[bytes]:
        """Takes a chunk; returns the objects that it completes."""
        self._take(self._held + chunk)
        # A text without a bracket is scanned again only when it has doubled: otherwise the time
        # would be quadratic.
        return self._scan() if len(self._buffer) - self._scanned >= self._enough else []

    def finish(self) -> list[bytes]:
        """Returns the objects that were still open when the text ended."""
        found = self._scan()
        self._around += self._buffer + self._held
        self._buffer.clear()
        return found

    def before(self) -> Json:
        """What comes before the objects; empty while none was found. Raises Malformed."""
        return _object(self._before)

    def around(self) -> Json:
        """What surrounds the objects, at the end. Raises Malformed."""
        return _object(bytes(self._around))

    def _take(self, text: bytes) -> None:
        """Adds a text, except for a backslash at its end, whose meaning is not known yet."""
        odd = (len(text) - len(text.rstrip(b"\\"))) % 2
        whole, self._held = text[: len(text) - odd], text[len(text) - odd :]
        self._buffer += whole
        self._masked += masked(whole)

    def _scan(self) -> list[bytes]:
        found: list[bytes] = []
        while match := TO_BRACKET.match(self._masked, self._scanned):
            if match.end() == self._scanned:
                break
            self._scanned, bracket = match.end(), match[1]
            if bracket in (b"[", b"{"):
                self._open()
            elif bracket and (done := self._close()):
                found.append(done)
        self._enough = 2 * (len(self._buffer) - self._scanned)
        if self._begin < 0:
            self._forget(0 if self._listing else self._scanned)
        return found

    def _open(self) -> None:
        self._depth += 1
        last = self._around[-_NAME:] + self._masked[max(0, self._scanned - _NAME) : self._scanned]
        if self._depth == _IN_LIST and (named := _LIST.search(last)):
            self.key, self._listing = named[1].decode(), True
            self._forget(self._scanned)
            self._before = bytes(self._around) + b"]}"
        elif self._listing and self._depth == _IN_LIST + 1:
            self._begin = self._scanned - 1

    def _close(self) -> bytes | None:
        self._depth -= 1
        if self._listing and self._depth == _IN_LIST:
            done = bytes(self._buffer[self._begin : self._scanned])
            self._drop(self._scanned)
            self._begin = -1
            return done
        if self._listing and self._depth == _IN_DOCUMENT:
            self._listing = False
            self._drop(self._scanned - 1)
        return None

    def _forget(self, upto: int) -> None:
        """Moves the text up to here to what surrounds the objects."""
        self._around += self._buffer[:upto]
        self._drop(upto)

    def _drop(self, upto: int) -> None:
        del self._buffer[:upto], self._masked[:upto]
        self._scanned -= upto


def _object(text: bytes) -> Json:
    found = loads(text, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
    if not isinstance(found, dict):
        raise Malformed("is not an object")
    return found
