"""Starts operators quickly: everything is imported once, each operator is a fork of that.

As a program: one JSON object a line on stdin asks for one, its pid is the answer. What is started
is what `python -m agentjobs operator --config FILE --kubeconfig FILE` starts, a process of its own
that can be killed; only the second of importing is saved. They end with the program, and it ends
with stdin.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from agentjobs.__main__ import main as operator

PR_SET_PDEATHSIG = 1


def become(asked: dict[str, str]) -> NoReturn:
    """In the fork: an operator with its own environment and log."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(asked.pop("LOG"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    kubeconfig, configuration = asked.pop("KUBECONFIG"), asked.pop("CONFIG")
    os.environ.update(asked)
    os._exit(operator(["operator", "--config", configuration, "--kubeconfig", kubeconfig]))


def main() -> None:
    """Until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: none becomes a zombie
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            become(asked)
        print(pid, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
