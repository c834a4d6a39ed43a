"""What the runner has to do with agents.

These are the program that runs one, the session's lock, and what calls of pi left for the record.

The calls themselves are in `agentjobs_pi`, ordinary children of the script or, in an agent job, in
its place.
"""

from __future__ import annotations

import os
import sys

from agentjobs_runner import notes
from agentjobs_runner.report import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentjobs_runner.report import Report

PROGRAM = "agentjobs_pi/__main__.py"
SESSION, ROOT = "AGENTJOBS_SESSION", "AGENTJOBS_ROOT"
LOCK = "run.lock"


def command() -> list[str]:
    """The program that runs an agent, beside the runner."""
    library = __file__.rpartition("/agentjobs_runner/")[0]
    return [sys.executable, "-I", "-S", f"{library}/{PROGRAM}"]


def hold_session(root: str) -> None:
    """Keeps a continuous session to this run until the process ends.

    Raises RefusedError when another run has it, or it is not there.
    """
    folder = os.environ.get(SESSION)
    if not folder:
        return
    import fcntl  # noqa: PLC0415  only continuous jobs need it

    path, mode = os.path.join(root, folder.lstrip("/"), LOCK), os.O_RDWR | os.O_CREAT
    try:
        lock = os.open(path, mode | os.O_NOFOLLOW, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError(
            "SessionBusy",
            "another run of this job is using the session; a job with session Continuous has one"
            " run at a time",
        ) from None
    except OSError as error:
        raise RefusedError(
            "SessionUnusable", f"the session's volume cannot be used: {error.strerror}"
        ) from error


def take_notes(root: str, report: Report, secrets: Iterable[bytes], *, script: bool) -> None:
    """Adds to a report what calls of pi left, and how an agent's run ended.

    The latter only where its exit code does not say otherwise.

    A script whose call had no model, key or endpoint has failed, whatever it made of that.
    """
    found, readable = notes.read(root), notes.Reader(secrets)
    report.input_tokens, report.output_tokens = found.input, found.output
    report.cost_micro_usd = found.cost
    report.failed_calls = found.failed or None
    if found.verdict and not script:
        report.concluded(found.verdict[0], readable(found.verdict[1]))
    if found.needed and script:
        report.lacked(found.needed[0], readable(found.needed[1]))
    remarks = list(filter(None, map(readable, found.remarks)))
    remarks += _failures(found, readable, told=script and bool(found.needed))
    report.message = "; ".join([report.message, *remarks])


def _failures(found: notes.Notes, readable: notes.Reader, *, told: bool) -> Iterator[str]:
    """told: why the first of them failed is said already."""
    if found.last_failure is None or (told and found.failed == 1):
        return
    reason, message = found.last_failure
    count = "1 call of pi" if found.failed == 1 else f"{found.failed} calls of pi"
    which = "with" if found.failed == 1 else "the last with"
    yield f"{count} failed" + ("" if told else f", {which} {reason}: {readable(message)}")
