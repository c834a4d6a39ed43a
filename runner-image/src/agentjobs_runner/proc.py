"""Processes, as PID 1 sees them: hide from them, start one, signal all, bury the dead."""

from __future__ import annotations

import ctypes
import os

from agentjobs_runner.quick import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PR_SET_DUMPABLE = 4
# Python ignores these two for itself. A program that inherits that is unlike one from a shell.
RESTORED_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)


class NotPidOneError(Exception):
    """Outside a container of its own, the runner does not start: it would end others' processes."""


def require_pid_one() -> None:
    if os.getpid() != 1:
        raise NotPidOneError("the runner has to be PID 1 of its container")


def hide_from_children() -> None:
    """Closes /proc/1/{fd,environ,mem} and ptrace to processes of the same uid.

    These could otherwise forge the record.

    An exec resets the flag, so it has to be set from inside. Raises OSError when the kernel
    refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def start(
    command: list[str],
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
    stdin: str = "/dev/null",
) -> int:
    """The PID of command, found on PATH, in its own session, with the file `stdin` as input.

    Raises OSError when it cannot start.

    Every other descriptor stays here: Python opens all of its own close-on-exec.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    ]
    return os.posix_spawnp(
        command[0],
        command,
        environment,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=RESTORED_SIGNALS,
    )


def signal_everyone(number: int) -> None:
    """Signals every process of the container but the runner itself; that there is none is fine."""
    require_pid_one()
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        pass


def reap() -> tuple[dict[int, int], bool]:
    """Buries every dead child, adopted ones too.

    Returns {pid: wait status}, and whether living children are left.
    """
    buried: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return buried, False
        if pid == 0:
            return buried, True
        buried[pid] = status
