"""What the runner is told: to stop, or that a child has died."""

from __future__ import annotations

import os

from agentjobs_runner.quick import signal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Signals as bytes in a pipe, in order of arrival, so that one select waits for everything.

    The kernel keeps from PID 1 every signal that has no handler: one that comes before this object
    exists is lost.
    """

    __slots__ = ("descriptor",)

    def __init__(self) -> None:
        self.descriptor, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def arrived(self) -> bytes:
        try:
            return os.read(self.descriptor, 4096)
        except BlockingIOError:
            return b""
