"""How much may be passed on live so that the log file never rotates before the envelope is read.

The runtime prefixes each line of the file with a time and the stream's name (some 45 bytes), and
cuts lines into pieces (16 KiB in containerd, 8 KiB in CRI-O). Past 10 MiB the kubelet rotates the
file, and what it held is no longer read.

When the container ends, containerd drops what its log writer has not taken yet (containerd#12289,
seen with 1.6): all that is in our pipe, in the shim's copy buffer and in a second pipe. What has to
arrive is therefore followed by as much filler as fits into these: once the last of it is in our
pipe, everything before it has been taken.
"""

from __future__ import annotations

import os
import select
import time

from agentjobs_runner.capture import Capture
from agentjobs_runner.mask import Mask

LIMIT_BYTES = 8 * 1024 * 1024
PIECE_BYTES = 8 * 1024
PIECE_COST_BYTES = 64
NOTICE = (
    b"[agentjobs: live log stopped at 8 MiB;"
    b" the record keeps the first and last 25 KiB of each stream]\n"
)
READ_BYTES = 64 * 1024
# A pipe that select calls writable takes this much without blocking (PIPE_BUF).
WRITE_BYTES = 4096
# The log writer takes some 250,000 lines a second, however short. Only of more than this it is not
# certain to be done in the moment in which a container ends: 10,000 lines of two bytes were lost,
# 2,000 never.
MANY_LINES = 500
TAKEN_PER_SECOND = 5_000
# The shim's copy buffer, and as much again for what the log writer holds.
BUFFERS_BYTES = 64 * 1024
# Of each stream. Pipes can be larger, on kernels with pages of 64 KiB; the log file has no room.
MAX_FILLER_BYTES = 448 * 1024


def in_flight_bytes(sink: int) -> int:
    """The most that can be on its way from `sink` to the log writer; 0 where it is not a pipe."""
    import fcntl  # noqa: PLC0415  needed after much output only

    try:
        pipe = fcntl.fcntl(sink, fcntl.F_GETPIPE_SZ)
    except OSError:
        return 0
    return min(2 * pipe + BUFFERS_BYTES, MAX_FILLER_BYTES)


class Budget:
    """What is left of LIMIT_BYTES, for both streams together.

    Once something did not fit, nothing more is passed on.
    """

    __slots__ = ("exhausted", "left")

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.left = limit
        self.exhausted = False

    def admit(self, data: bytes, column: int) -> tuple[int, int]:
        """(how many bytes of data fit, the column after them).

        `column` bytes of data's first line were admitted before.

        Costs a byte for each byte, and PIECE_COST_BYTES for each line and each started PIECE_BYTES
        of a line.
        """
        position = 0
        while position < len(data) and not self.exhausted:
            end = data.find(b"\n", position) + 1 or len(data)
            end = min(end, position + PIECE_BYTES - column % PIECE_BYTES)
            cost = end - position + (0 if column % PIECE_BYTES else PIECE_COST_BYTES)
            if cost > self.left:
                self.exhausted = True
                break
            self.left -= cost
            column = 0 if data[end - 1] == 0x0A else column + end - position
            position = end
        return position, column


class Channel:
    """One stream's way from the script's pipe to our own descriptor."""

    __slots__ = (
        "_broken",
        "_budget",
        "_column",
        "_last_byte",
        "_lines",
        "_mask",
        "_pending",
        "_written_at",
        "capture",
        "closed",
        "dropped",
        "heard_at",
        "sink",
        "source",
    )

    def __init__(self, sink: int, budget: Budget, mask: Mask) -> None:
        self.source = -1
        self.sink = sink
        self.closed = True
        self.capture = Capture()
        self.dropped = 0
        self.heard_at = float("-inf")
        self._budget = budget
        self._mask = mask
        self._column = 0
        self._pending = bytearray()
        self._last_byte = 0x0A
        self._broken = False
        self._lines = 0.0
        self._written_at = float("-inf")

    def connect(self, source: int) -> None:
        self.source = source
        self.closed = False

    def wants_reading(self, *, last: bool) -> bool:
        """Not while something waits: a slow reader slows the script, as it would with no runner.

        last: nobody is left to write, the pipe holds little and all of it belongs into the record.
        """
        return not self.closed and (last or not self._pending)

    @property
    def wants_writing(self) -> bool:
        return bool(self._pending)

    @property
    def silent(self) -> bool:
        """Nothing was ever passed on."""
        return self._written_at == float("-inf")

    @property
    def crowded(self) -> bool:
        """So many lines may be under way to the log that the container's end can overtake them."""
        return self._waiting() + self._pending.count(b"\n") > MANY_LINES

    def _waiting(self) -> float:
        """Lines the log writer may not have taken yet, if it is fifty times slower than seen."""
        return max(0.0, self._lines - (time.monotonic() - self._written_at) * TAKEN_PER_SECOND)

    def read(self) -> None:
        """Takes what the pipe holds. Call it only when the pipe is readable, else it blocks."""
        data = os.read(self.source, READ_BYTES)
        if not data:
            self.close()
            return
        self.heard_at = time.monotonic()
        self._take(self._mask.feed(data))

    def finish(self) -> None:
        """Nothing more comes: what the mask held back is output after all."""
        self._take(self._mask.end())

    def _take(self, data: bytes) -> None:
        """Into the record, and on to the log as far as it may grow.

        Secrets are masked already: no limit can cut one in two.
        """
        self.capture.feed(data)
        admitted = 0
        if not (self._budget.exhausted or self._broken):
            admitted, self._column = self._budget.admit(data, self._column)
            self.send(data[:admitted])
        self.dropped += len(data) - admitted

    def send(self, data: bytes) -> None:
        """Passes data on after what waits already. Never blocks."""
        if not self._broken:
            self._pending += data
            self.flush()

    def end_line(self) -> None:
        """So that what comes next, on either stream, stands on a line of its own."""
        last = self._pending[-1] if self._pending else self._last_byte
        if last != 0x0A:
            self.send(b"\n")

    def flush(self) -> None:
        while self._pending and select.select((), (self.sink,), (), 0)[1]:
            try:
                written = os.write(self.sink, self._pending[:WRITE_BYTES])
            except BlockingIOError:
                return
            except OSError:
                self.give_up()
                return
            self._last_byte = self._pending[written - 1]
            self._lines = self._waiting() + self._pending.count(b"\n", 0, written)
            self._written_at = time.monotonic()
            del self._pending[:written]

    def give_up(self) -> None:
        """Nobody reads us any more: what waits is lost for the log, never for the record."""
        self._broken = True
        self.dropped += len(self._pending)
        self._pending.clear()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.source)
