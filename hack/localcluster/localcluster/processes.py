"""Commands, waits and process identities; every failure becomes one sentence for the screen."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STARTED = time.monotonic()


class Failure(Exception):
    """A sentence for the person at the screen: what failed, and what to do or to read."""


def report(text: str) -> None:
    """One progress line on stderr, with the seconds since this command began."""
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


def tail(log: Path, lines: int = 8) -> str:
    try:
        last = log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "\n".join(line[:240] for line in last)


def failed(what: str, log: Path) -> Failure:
    return Failure(f"{what}; see {log}, which ends with:\n{tail(log)}")


def output(
    *command: str, stdin: IO[bytes] | None = None, cwd: Path | None = None, seconds: float = 60
) -> str:
    """What the command prints.

    Its own last words are in the Failure when it fails or takes longer.
    """
    try:
        done = subprocess.run(
            command,
            stdin=stdin or subprocess.DEVNULL,
            cwd=cwd,
            timeout=seconds,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise Failure(f"`{command[0]}` is not installed; run the command `prerequisites`") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"`{' '.join(command)}` did not end within {seconds:.0f} s") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise Failure(f"`{' '.join(command)[:200]}` failed: {' / '.join(words)}")
    return done.stdout.decode(errors="replace")


def logged(
    log: Path,
    *command: str,
    what: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Runs a long command with its output in a log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        code = subprocess.run(
            command,
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=cwd,
            check=False,
        ).returncode
    if code:
        raise failed(what, log)


def wait_until(
    condition: Callable[[], bool],
    seconds: float,
    otherwise: Callable[[], Failure],
    pause: float = 0.05,
) -> None:
    """Polls, once more after the bound, so that a machine that slept does not fail falsely."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline
        if condition():
            return
        if late:
            raise otherwise()
        time.sleep(pause)


def replace_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Readers see the old text or the new, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode)
    temporary.write_text(text)
    temporary.replace(path)


@contextlib.contextmanager
def exclusively(path: Path, seconds: float, otherwise: Callable[[], Failure]) -> Iterator[None]:
    """Holds a lock that the kernel gives back when this process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        wait_until(lambda: _locked(file.fileno()), seconds, otherwise)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True)
class Process:
    """The kernel reuses process ids: start time (ticks since boot) and boot make one unique."""

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        return identify(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def identify(pid: int) -> Process | None:
    """None for a process that has ended, a zombie included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]), BOOT_ID.read_text().strip())


def remember(path: Path, process: Process) -> None:
    replace_text(path, json.dumps(asdict(process)))


def recall(path: Path) -> Process | None:
    """The process recorded there, if it is still the same one and alive."""
    try:
        process = Process(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return process if process.alive else None
