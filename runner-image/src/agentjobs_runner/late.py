"""What stderr's end says of a script that Python gave up on: more than "it exited with code 1"."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentjobs_runner.capture import Capture

LAST_BYTES = 4096
SYNTAX_ERRORS = ("SyntaxError: ", "IndentationError: ", "TabError: ")
NO_MODULE = "ModuleNotFoundError: No module named '"


def reason_for(path: str, stderr: Capture) -> tuple[str, str] | None:
    """(reason, message) if Python's last words give them; script at `path` exited with code 1."""
    lines = stderr.last(LAST_BYTES).rstrip("\n").splitlines() or [""]
    last = lines[-1]
    if last.startswith(SYNTAX_ERRORS) and stderr.total < LAST_BYTES:
        return _invalid(path, lines)
    if last.startswith(NO_MODULE):
        return "ScriptFailed", _missing(last.removeprefix(NO_MODULE).partition("'")[0])
    return None


def _invalid(path: str, lines: list[str]) -> tuple[str, str] | None:
    """Only where nothing stands before it.

    What a script finds wrong in other files while it runs is its own failure.
    """
    place = f'  File "{path}", line '
    if not lines[0].startswith(place):
        return None
    line, what = lines[0].removeprefix(place), lines[-1].partition(": ")[2]
    message = f"line {line} of the script is not valid Python, so none of it ran: {what}"
    return "SyntaxError", message


def _missing(name: str) -> str:
    from agentjobs_runner.distributions import lacking  # noqa: PLC0415  needed in failing runs only

    what, advice = lacking(name)
    return (
        f"the script exited with code 1: it imported {name!r} ({what}), which is not installed;"
        f" {advice}"
    )
