"""What is kept of one output stream: its first and its last bytes, whatever its length."""

from __future__ import annotations

HEAD_BYTES = 25_600
TAIL_BYTES = 25_600


class Capture:
    """Keeps up to HEAD_BYTES + TAIL_BYTES bytes whole; of more, the head and the tail.

    These are cut on UTF-8 character boundaries.
    """

    __slots__ = ("_head", "_tail", "total")

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        self.total += len(data)
        room = HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-TAIL_BYTES:]
        if len(self._tail) > TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def kept(self) -> tuple[bytes, bytes]:
        """(head, tail); the tail is empty when nothing was dropped."""
        head, tail = bytes(self._head), bytes(self._tail)
        if self.total == len(head) + len(tail):
            return head + tail, b""
        return without_cut_end(head), without_cut_start(tail)

    def text(self) -> tuple[str, int]:
        """(the text, how many of the stream's bytes are not in it).

        Invalid bytes are shown as \\xNN.
        """
        head, tail = self.kept()
        dropped = self.total - len(head) - len(tail)
        if not dropped:
            return decode(head), 0
        return f"{decode(head)}\n[agentjobs: {dropped} bytes dropped here]\n{decode(tail)}", dropped

    def last(self, limit: int) -> str:
        """At most the last `limit` bytes, which is not 0, as text."""
        head, tail = self.kept()
        end = (tail or head)[-limit:]
        return decode(without_cut_start(end) if self.total > len(end) else end)


def decode(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def without_cut_start(data: bytes) -> bytes:
    """Without the continuation bytes, at most 3, of a character whose start is not there."""
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:]


def without_cut_end(data: bytes) -> bytes:
    """Without the last 1 to 3 bytes when they only begin a character."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if needed > back else data
        if byte < 0x80:
            break
    return data
