"""PID 1 of the cluster's namespaces: starts the components, restarts those that end, reaps orphans.

When it ends, by whatever cause, the kernel ends every process of the PID namespace with it, and
with the last of them the mounts, interfaces and packet filter rules go.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from . import components, containers, isolation, processes
from . import layout as layouts
from .layout import Layout

RESTART_SECONDS = 1.0


@dataclass
class Running:
    component: components.Component
    pid: int | None = None
    ready: bool = False
    restarts: int = 0
    not_before: float = 0.0


class Supervisor:
    """One thread: it reaps only between two commands, so none loses its exit code to the reaper."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.running = {
            component.name: Running(component) for component in components.all_of(layout)
        }
        self.ending = False
        signal.signal(signal.SIGTERM, self._end)

    def serve(self) -> None:
        written = ""
        while not self.ending:
            self._reap()
            for one in self.running.values():
                self._step(one)
            states = {
                name: {"ready": one.ready, "restarts": one.restarts}
                for name, one in self.running.items()
            }
            text = json.dumps(states)
            if text != written:
                processes.replace_text(self.layout.run / "status.json", text)
                written = text
            time.sleep(0.05 if not all(one.ready for one in self.running.values()) else 0.5)
        self._stop()

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.ending = True

    def _step(self, one: Running) -> None:
        if one.pid is None:
            waits = not all(self.running[name].ready for name in one.component.after)
            if time.monotonic() >= one.not_before and not waits:
                self._start(one)
        elif not one.ready:
            one.ready = one.component.ready()

    def _start(self, one: Running) -> None:
        with (self.layout.logs / f"{one.component.name}.log").open("ab") as log:
            one.pid = subprocess.Popen(
                one.component.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.layout.state,
                start_new_session=True,
            ).pid

    def _reap(self) -> None:
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for one in self.running.values():
                if one.pid == pid:
                    self._ended(one, os.waitstatus_to_exitcode(code))

    def _ended(self, one: Running, code: int) -> None:
        if not self.ending:
            processes.report(f"{one.component.name} ended with {code}, starting it again")
        one.pid, one.ready = None, False
        one.restarts += 1
        one.not_before = time.monotonic() + RESTART_SECONDS

    def _stop(self) -> None:
        """Only the image store outlives the cluster, so only containerd is ended politely."""
        for name, one in self.running.items():
            if name != "containerd" and one.pid:
                os.kill(one.pid, signal.SIGKILL)
        runtime = self.running["containerd"]
        if runtime.pid and runtime.ready:
            containers.remove_all()
            os.kill(runtime.pid, signal.SIGTERM)
            processes.wait_until(
                lambda: self._gone(runtime),
                10,
                lambda: processes.Failure("containerd did not end within 10 s"),
            )
            (self.layout.image_store / containers.CLEAN).touch()

    def _gone(self, one: Running) -> bool:
        self._reap()
        return one.pid is None


def hold(lock: Path) -> int:
    """Exactly one supervisor to a cluster.

    The descriptor stays open, and with it the lock, until this process ends.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def main() -> None:
    layout = layouts.from_arguments(sys.argv[1:])
    # Until the components are there, ending at once is right. Without a handler the kernel would
    # not even deliver it to a PID 1.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    hold(layout.run / "lock")
    # /proc is still the host's here, so this is the process id by which `down` can end us.
    myself = processes.identify(int(Path("/proc/self").readlink().name))
    if myself is None:
        raise AssertionError("this process runs")
    processes.remember(layout.run / "supervisor.json", myself)
    isolation.isolate(layout)
    (layout.run / "isolated").touch()
    Supervisor(layout).serve()


if __name__ == "__main__":
    main()
