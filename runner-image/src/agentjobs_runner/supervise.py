"""From the script's start to its last descendant's end: one loop over output, signals and time."""

from __future__ import annotations

import os
import select
import time

from agentjobs_runner import proc
from agentjobs_runner.livelog import NOTICE, Budget, Channel
from agentjobs_runner.mask import Mask, patterns
from agentjobs_runner.quick import signal
from agentjobs_runner.signals import STOP_SIGNALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentjobs_runner.signals import Signals

GRACE_SECONDS = 5.0
# How long a process that outlives the script may hold its output open.
DRAIN_SECONDS = 1.0
# How long the killed may take to disappear.
LAST_SECONDS = 5.0


class Supervisor:
    """Owns the script's life.

    Every wait is bounded, and every wait passes output on, buries the dead and hears signals.

    told: SIGTERM or SIGINT has come. secrets: what output must not show.
    """

    def __init__(self, signals: Signals, secrets: Iterable[bytes] = ()) -> None:
        self.told = False
        self._stopped = False
        self._budget = Budget()
        wanted = patterns(secrets)
        self.stdout = Channel(1, self._budget, Mask(wanted))
        self.stderr = Channel(2, self._budget, Mask(wanted))
        self._channels = (self.stdout, self.stderr)
        self._signals = signals
        self._script = 0
        self._status: int | None = None
        self._alone = False
        self._noticed = False
        self._last = False

    def start(
        self, command: list[str], environment: Mapping[str, str], stdin: str = "/dev/null"
    ) -> None:
        """Raises OSError when it cannot start."""
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        self.stdout.connect(out)
        self.stderr.connect(err)
        try:
            self._script = proc.start(command, environment, out_end, err_end, stdin)
        finally:
            os.close(out_end)
            os.close(err_end)

    def run(self, limit_seconds: float) -> tuple[int | None, bool]:
        """(the script's wait status if it ended by itself, whether it was told to stop before).

        After the limit neither.

        On return every other process is gone.
        """
        self.work_until(lambda: self._stopped or self._ended(), limit_seconds)
        self.hear()
        status, stopped = self._status, self._stopped
        kill_at = time.monotonic() + GRACE_SECONDS
        if status is None:
            proc.signal_everyone(signal.SIGTERM)
            self.work_until(self._ended, GRACE_SECONDS)
        self.work_until(self._silent, min(DRAIN_SECONDS, kill_at - time.monotonic()))
        proc.signal_everyone(signal.SIGKILL)
        self._last = True
        self.work_until(self._over, LAST_SECONDS)
        for channel in self._channels:
            channel.finish()
        return status, stopped

    def work_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Works until done() holds or the time is over; says whether it held."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._work_once(left)
        return True

    def hear(self) -> bool:
        """Notes the signals that have come, in order, and says whether one told us to stop."""
        for number in self._signals.arrived():
            if number in STOP_SIGNALS:
                self.told = True
                self._stopped = self._stopped or not self._ended()
            elif number == signal.SIGCHLD:
                self._bury()
        return self.told

    def _work_once(self, seconds: float) -> None:
        sources = [
            channel.source for channel in self._channels if channel.wants_reading(last=self._last)
        ]
        sinks = [channel.sink for channel in self._channels if channel.wants_writing]
        readable, writable, _ = select.select(
            [self._signals.descriptor, *sources], sinks, [], seconds
        )
        if self._signals.descriptor in readable:
            self.hear()
        for channel in self._channels:
            if channel.sink in writable:
                channel.flush()
            if channel.source in readable:
                channel.read()
        if self._budget.exhausted and not self._noticed:
            self._noticed = True
            self.stderr.end_line()
            self.stderr.send(NOTICE)

    def _bury(self) -> None:
        buried, living = proc.reap()
        self._alone = not living
        if self._script in buried:
            self._status = buried[self._script]

    def _ended(self) -> bool:
        return self._status is not None

    def _silent(self) -> bool:
        return all(channel.closed for channel in self._channels)

    def _over(self) -> bool:
        self._bury()
        return self._alone and self._silent()
