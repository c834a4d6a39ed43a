"""What the runner has to do with agents: which program runs one, the session's lock, and what calls of pi left for the record.

The calls themselves are in `agentjobs_pi`, ordinary children of the script or, in an agent job, in its place.
"""

from __future__ import annotations

import os
import sys

from agentjobs_runner.quick import from_json
from agentjobs_runner.report import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentjobs_runner.report import Report

PROGRAM = "agentjobs_pi/__main__.py"
NOTES = "tmp/agentjobs/notes.jsonl"
SESSION, ROOT = "AGENTJOBS_SESSION", "AGENTJOBS_ROOT"
LOCK = "run.lock"
MAX_NOTES_BYTES = 1024 * 1024
MAX_COUNT = 2**53


def command() -> list[str]:
    """The program that runs an agent, beside the runner."""
    library = __file__.rpartition("/agentjobs_runner/")[0]
    return [sys.executable, "-I", "-S", f"{library}/{PROGRAM}"]


def hold_session(root: str) -> None:
    """Keeps a continuous session to this run until the process ends. Raises RefusedError when another run has it, or it is not there."""
    folder = os.environ.get(SESSION)
    if not folder:
        return
    import fcntl  # noqa: PLC0415  only continuous jobs need it

    try:
        lock = os.open(os.path.join(root, folder.lstrip("/"), LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError("SessionBusy", "another run of this job has the session; a continuous job runs once at a time") from None
    except OSError as error:
        raise RefusedError("SessionUnusable", f"the session's volume cannot be used: {error.strerror}") from error


def take_notes(root: str, report: Report) -> None:
    """Adds to a report what calls of pi left. Any process of the run could have written there, so nothing of it is relied on."""
    notes = _notes(os.path.join(root, NOTES))
    calls = [note for note in notes if "input" in note]
    if calls:
        priced = all(note.get("microUSD") is not None for note in calls)
        report.input_tokens, report.output_tokens = _sum(calls, "input"), _sum(calls, "output")
        report.cost_micro_usd = _sum(calls, "microUSD") if priced else None
    remarks = [remark for note in notes if isinstance(remark := note.get("remark"), str)]
    report.message = "; ".join([report.message, *remarks])


def verdict(root: str) -> tuple[str, str] | None:
    """(reason, sentence) of an agent's run: its last note of this kind."""
    found = None
    for note in _notes(os.path.join(root, NOTES)):
        reason, message = note.get("reason"), note.get("message")
        if isinstance(reason, str) and isinstance(message, str) and reason.isalnum() and reason.isascii() and reason[0].isupper():
            found = reason[:64], message
    return found


def _notes(path: str) -> list[dict[str, object]]:
    """A pipe or a device in its place is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            lines = file.read(MAX_NOTES_BYTES).splitlines()
    except OSError:
        return []
    return [note for line in lines if isinstance(note := _parsed(line), dict)]


def _parsed(line: bytes) -> object:
    try:
        return from_json(line)
    except (ValueError, RecursionError):
        return None


def _sum(calls: list[dict[str, object]], name: str) -> int:
    counts = [value for call in calls if type(value := call.get(name)) is int and value > 0]
    return min(sum(counts), MAX_COUNT)
