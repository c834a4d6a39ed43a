"""The session file of a continuous job: one call at a time.

A damaged file is set aside instead of failing every run to come.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentjobs_pi import notes
from agentjobs_pi.places import WORKSPACE, session_folder

FILE = "session.jsonl"
LOCK = "call.lock"
ASIDE = "damaged-session.jsonl"
MAX_HEADER_BYTES = 64 * 1024


@contextmanager
def exclusive() -> Iterator[Path | None]:
    """The session's file, for this process alone until the block ends; None in an ephemeral job.

    Waits for another call of the same run: two at once would lose a turn. The run's own limit
    bounds the wait.
    """
    folder = session_folder()
    if folder is None:
        yield None
        return
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / FILE
        if problem := damage(file):
            file.replace(folder / ASIDE)
            notes.remark(
                f"the session file was damaged ({problem}): it is kept as {ASIDE}, and a new"
                " session begins"
            )
        yield file


def damage(file: Path) -> str:
    """Why pi would refuse this file; empty when it would not.

    Single spoilt lines further down it leaves out itself.
    """
    try:
        with file.open("rb") as content:
            first = content.readline(MAX_HEADER_BYTES)
    except FileNotFoundError:
        return ""
    if not first and not file.stat().st_size:
        return ""
    try:
        header = json.loads(first)
    except ValueError:
        return "its first line is not JSON"
    if (
        not isinstance(header, dict)
        or header.get("type") != "session"
        or not isinstance(header.get("id"), str)
    ):
        return "its first line is not that of a session"
    if header.get("cwd") != os.fspath(WORKSPACE):
        return "it belongs to another working directory"
    return ""
