"""What a command ends with, and how a failure is reported: never as a traceback.

The numbers are part of the interface; scripts test them.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from agentjobs.core.errors import AgentjobsError


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
    """The content is not the one that was meant, or the object not the one that was shown."""
    RUN_FAILED = 7
    """`run --wait`: the run did not succeed."""
    TIMEOUT = 8
    """It took too long, or `logs --follow` ended before the run did."""


class CliError(AgentjobsError):
    """`message` names the resource or the file and line, `remedy` says what to do."""

    def __init__(self, message: str, remedy: str = "", code: Exit = Exit.CLUSTER) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code


class ApiServerError(CliError):
    """The API server said no.

    `reason` is its word for why, for example AlreadyExists; empty when there was no answer.
    """

    def __init__(self, message: str, remedy: str, code: Exit, reason: str) -> None:
        super().__init__(message, remedy, code)
        self.reason = reason


_ERROR = re.compile(r"^Error from server(?: \((\w+)\))?: (.*)", re.MULTILINE | re.DOTALL)
_CODES: Final = {
    "NotFound": Exit.NOT_FOUND,
    "Forbidden": Exit.FORBIDDEN,
    "Unauthorized": Exit.FORBIDDEN,
    "Conflict": Exit.CHANGED,
}
_REMEDIES: Final = {
    "Unauthorized": "log in again, or choose another --context",
    "NotFound": (
        "`kubectl saj list` shows what is there; --namespace and --context choose where to look"
    ),
    "Invalid": "correct the field that is named, then try again",
    "Conflict": "it is not what it was when it was read: look at it again",
    "ServiceUnavailable": (
        "try again in half a minute: after an installation the API server takes that long to know"
        " its kinds"
    ),
}
_INVALID: Final = re.compile(r"^The \w+ \".*?\" is invalid: .*", re.MULTILINE | re.DOTALL)
"""How kubectl says it of a manifest, without "Error from server"."""
_NO_KIND: Final = "could not find the requested resource"


def kubectl_error(stderr: str) -> ApiServerError:
    """kubectl's words as a problem with a remedy."""
    match = _ERROR.search(stderr)
    if match is None and (invalid := _INVALID.search(stderr)):
        return ApiServerError(invalid[0].strip(), _REMEDIES["Invalid"], Exit.USAGE, "Invalid")
    if match is None:
        text = stderr.strip().removeprefix("error: ") or "kubectl failed without a message"
        return ApiServerError(
            text,
            "check --context and --kubeconfig: `kubectl cluster-info` says whether the cluster"
            " answers",
            Exit.CLUSTER,
            "",
        )
    reason, message = match[1] or "", match[2].strip()
    if _NO_KIND in message:
        remedy = (
            "agentjobs is not installed in this cluster, or in another version: `kubectl saj"
            " doctor` says which"
        )
        return ApiServerError(
            f"the cluster does not know this kind: {message}", remedy, Exit.NOT_FOUND, reason
        )
    return ApiServerError(
        message, _REMEDIES.get(reason, ""), _CODES.get(reason, Exit.CLUSTER), reason
    )
