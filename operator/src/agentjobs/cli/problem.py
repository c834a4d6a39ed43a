"""What a command ends with, and how a failure is told: never as a traceback.

The numbers are part of the interface; scripts test them.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. 130 is added by the shell's convention for Ctrl-C."""

    OK = 0
    NO = 1
    """The answer is no: `diff` found differences, `doctor` found a problem, a question was answered
    with no."""
    USAGE = 2
    """A wrong option, or a mistake in a file."""
    CLUSTER = 3
    """The API server could not be reached, or did not do it."""
    NOT_FOUND = 4
    FORBIDDEN = 5
    """RBAC or an admission policy refused it."""
    CHANGED = 6
    """The content is not the one that was meant."""
    RUN_FAILED = 7
    """`run --wait`: the run did not succeed."""
    TIMEOUT = 8
    """It took too long, or `logs --follow` ended before the run did."""


class Problem(Exception):
    """`message` names the resource or the file and line, `remedy` says what to do."""

    def __init__(self, message: str, remedy: str = "", code: Exit = Exit.CLUSTER) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code
