"""A terminal on which a person types: for programs that ask only there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

COLUMNS = 120


def session(
    command: list[str],
    answers: Mapping[str, str],
    environment: Mapping[str, str],
    seconds: float = 60,
    folder: Path | None = None,
) -> tuple[int, str]:
    """The exit code and all that was on the screen.

    Each answer is typed once its question is there. `folder`: where it is run.
    """
    master, slave = pty.openpty()
    environment = {**environment, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    os.close(slave)
    screen, waiting, deadline = b"", dict(answers), time.monotonic() + seconds
    try:
        while True:
            assert time.monotonic() < deadline, (
                f"still there after {seconds:g} s: {screen.decode(errors='replace')}"
            )
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                part = os.read(master, 65536)
            except OSError:  # how Linux tells that the other side is closed
                part = b""
            if not part:
                return process.wait(), screen.decode().replace("\r\n", "\n")
            screen += part
            for question in [question for question in waiting if question.encode() in screen]:
                os.write(master, waiting.pop(question).encode())
    finally:
        process.kill()
        process.wait()
        os.close(master)
