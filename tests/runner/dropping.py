"""A runtime that drops what its log writer has not taken when the container ends.

containerd does so (containerd#12289).

Each stream goes through a pipe, the shim's copy buffer and a second pipe; the log writer needs the
same time for each line, however short, and writes both streams into one log, whole lines in the
order in which it took them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable

from tests.runner.container import Ended, Running

LINES_PER_SECOND = 100_000
"""Less than half of what was measured: what is lost then does not depend on how quick this machine
is just now."""
NOTICES_SECONDS = 0.05
"""From the end of the container to the moment in which its pipes are closed; measured, too: some
15,000 lines are taken meanwhile."""
COPY_BYTES = 32 * 1024
READ_BYTES = 4096


class Runtime:
    """Takes the output of a container that was started with `reading=False`."""

    def __init__(self, container: Running) -> None:
        self._container = container
        self._lock = threading.Lock()
        self._log = bytearray()
        self._over = False
        self._threads: list[threading.Thread] = []
        for source in container.outputs():
            inner, entrance = os.pipe()
            for target, ends in ((_copy, (source, entrance)), (self._write_down, (inner,))):
                self._threads.append(threading.Thread(target=target, args=ends, daemon=True))
                self._threads[-1].start()

    @property
    def log(self) -> bytes:
        """As far as it is written, whole lines."""
        with self._lock:
            return bytes(self._log)

    def wait(self) -> tuple[Ended, bytes]:
        """What the container left, and the log that is left of its output."""
        self._container.wait_for_exit()
        time.sleep(NOTICES_SECONDS)
        with self._lock:
            self._over = True
            log = bytes(self._log)
        for thread in self._threads:
            thread.join(20)
        return self._container.wait(), log

    def _write_down(self, source: int) -> None:
        rest = b""
        while data := os.read(source, READ_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            self._append(lines)
            time.sleep(0 if self._over else (len(lines) + 1) / LINES_PER_SECOND)
        os.close(source)

    def _append(self, lines: Iterable[bytes]) -> None:
        with self._lock:
            if not self._over:
                self._log += b"".join(line + b"\n" for line in lines)


def _copy(source: int, entrance: int) -> None:
    while data := os.read(source, COPY_BYTES):
        while data:
            data = data[os.write(entrance, data) :]
    os.close(entrance)
