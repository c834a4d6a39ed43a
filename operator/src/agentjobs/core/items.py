"""The answer to a list, taken apart while it comes: memory is that of one object, however many there are and however large they are."""

from __future__ import annotations

import re
from typing import Final

from agentjobs.core.bodies import MAX_BYTES, MAX_DEPTH, NEXT_BRACKET, PLAIN, STRING, Json
from agentjobs.core.bounded import Malformed, loads

_INSIDE: Final = re.compile(rb'(?:[^"\[\]{}]++|' + STRING + rb"|[\[{]" + PLAIN + rb"[\]}])*+[\[\]{}]", re.DOTALL)
"""To the next bracket, past arrays and objects that have none in them."""
_LIST: Final = re.compile(rb'"(items|rows)"\s*+:\s*+\[\Z')
_IN_DOCUMENT, _IN_LIST = 1, 2


class Items:
    """The texts of the objects in `items`, or in `rows` of a Table, as soon as each is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._begin = -1
        self._depth = 0
        self._listing = False
        self._around = bytearray()
        self._enough = 0
        self._listed_at = 0
        self._ended = False
        self.key = "items"

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that this completes."""
        self._buffer += chunk
        # What holds no bracket is looked through again only when there is twice as much of it, else that would be quadratic.
        return self._scan() if len(self._buffer) - self._scanned >= self._enough else []

    def finish(self) -> list[bytes]:
        """The objects that were still to come when the text ended."""
        found = self._scan()
        self._around += self._buffer
        self._buffer.clear()
        self._ended = True
        return found

    def around(self) -> Json:
        """What surrounds the objects; before the end only what stands before them. Raises Malformed."""
        text = bytes(self._around) if self._ended or not self._listed_at else bytes(self._around[: self._listed_at]) + b"]}"
        found = loads(text, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
        if not isinstance(found, dict):
            raise Malformed("is no object")
        return found

    def _scan(self) -> list[bytes]:
        found: list[bytes] = []
        while match := (_INSIDE if self._depth > _IN_LIST else NEXT_BRACKET).match(self._buffer, self._scanned):
            before, self._scanned = self._scanned, match.end()
            bracket = self._buffer[self._scanned - 1]
            if bracket in b"[{":
                self._open(before)
            elif done := self._close():
                found.append(done)
        self._enough = 2 * (len(self._buffer) - self._scanned)
        if self._begin < 0:
            self._forget(0 if self._listing else self._scanned)
        return found

    def _open(self, before: int) -> None:
        self._depth += 1
        if self._depth == _IN_LIST and (named := _LIST.search(self._buffer, before, self._scanned)):
            self.key, self._listing = named[1].decode(), True
            self._forget(self._scanned)
            self._listed_at = len(self._around)
        elif self._listing and self._depth == _IN_LIST + 1:
            self._begin = self._scanned - 1

    def _close(self) -> bytes | None:
        self._depth -= 1
        if not self._listing:
            return None
        if self._depth == _IN_LIST:
            done = bytes(self._buffer[self._begin : self._scanned])
            del self._buffer[: self._scanned]
            self._scanned, self._begin = 0, -1
            return done
        if self._depth == _IN_DOCUMENT:
            self._listing = False
            del self._buffer[: self._scanned - 1]
            self._scanned = 1
        return None

    def _forget(self, upto: int) -> None:
        """It belongs to what surrounds the objects."""
        self._around += self._buffer[:upto]
        del self._buffer[:upto]
        self._scanned -= upto
