"""Reads a runner's final report: the envelope in the log, its short form as termination message.

A log is the output of a script that may have been written to deceive, so every field is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from agentjobs.core.runner.lines import (
    MAX_LINES,
    EnvelopeError,
    json_object,
    read_object,
)

# Of each stream at most 51,200 bytes are kept, and an invalid byte is shown as four characters; the
# rest is the marker line between.
MAX_OUTPUT_BYTES = 4 * 51_200 + 200
MAX_TERMINATION_BYTES = 4096
MAX_TAIL_BYTES = 4 * 1000
MAX_NAME_BYTES = 253
MAX_MESSAGE_BYTES = 4 * 500
MAX_COUNT = 2**63 - 1

Outcome = Literal["Exited", "TimedOut", "Terminated", "Refused"]
FIXED: Mapping[str, tuple[tuple[int, str], ...]] = {
    "TimedOut": ((124, "Timeout"),),
    "Terminated": ((143, "Terminated"),),
    "Refused": ((70, "RunnerFailed"),),
}
"""Exit code and reason that a runner gives for these outcomes."""
REFUSED = 78
"""The exit code of a script that was not started, whatever the reason."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_REASON = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_HEX = re.compile(r"([0-9a-f]{64})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What both forms hold.

    Times are aware, in UTC; started_at is None when the script was not started.

    digest is empty when the runner did not get one. The dropped bytes of stdout and stderr are
    missing from the record, those of the log only from the live log. The tokens are None when no
    model was called, the cost (in millionths of a dollar) also where a price is not known, the
    failed calls (of pi) where there was none.
    """

    run_id: str
    digest: str
    outcome: Outcome
    exit_code: int
    reason: str
    message: str
    started_at: datetime | None
    finished_at: datetime
    stdout_dropped_bytes: int
    stderr_dropped_bytes: int
    log_dropped_bytes: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_micro_usd: int | None = None
    failed_calls: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(_Record):
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortForm(_Record):
    """The tails hold up to 1,000 bytes.

    `sha256` names the one envelope that belongs to it; it is empty, with no lines, when none was
    printed.
    """

    sha256: str
    lines: int
    stdout_tail: str
    stderr_tail: str


def read_envelope(log: bytes, sha256: str | None = None) -> Envelope:
    """The envelope at the end of a log. Raises EnvelopeError. `sha256` is as in `read_object`."""
    fields = _Fields(read_object(log, sha256))
    return Envelope(
        **fields.common(),
        stdout=fields.text("stdout", MAX_OUTPUT_BYTES),
        stderr=fields.text("stderr", MAX_OUTPUT_BYTES),
    )


def read_short_form(message: str) -> ShortForm | None:
    """The short form; None for text that is not a runner's.

    Any process of the container can write a termination message.
    """
    try:
        if len(message.encode()) > MAX_TERMINATION_BYTES:
            return None
        fields = _Fields(json_object(message.encode()))
        return ShortForm(
            **fields.common(),
            sha256=fields.matching("sha256", _HEX),
            lines=fields.number("lines", MAX_LINES),
            stdout_tail=fields.text("stdoutTail", MAX_TAIL_BYTES),
            stderr_tail=fields.text("stderrTail", MAX_TAIL_BYTES),
        )
    except ValueError:
        return None


class _Fields:
    """Checked access to an object's fields.

    Each method raises EnvelopeError when the field is missing or invalid.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def common(self) -> dict[str, Any]:
        self._fit_together()
        return {
            "run_id": self.text("runId", MAX_NAME_BYTES),
            "digest": self.matching("digest", _HEX),
            "outcome": self.outcome(),
            "exit_code": self.number("exitCode", 255),
            "reason": self.matching("reason", _REASON),
            "message": self.text("message", MAX_MESSAGE_BYTES),
            "started_at": self.optional_time("startedAt"),
            "finished_at": self.time("finishedAt"),
            "stdout_dropped_bytes": self.number("stdoutDroppedBytes", MAX_COUNT),
            "stderr_dropped_bytes": self.number("stderrDroppedBytes", MAX_COUNT),
            "log_dropped_bytes": self.number("logDroppedBytes", MAX_COUNT),
            "input_tokens": self.optional("inputTokens"),
            "output_tokens": self.optional("outputTokens"),
            "cost_micro_usd": self.optional("costMicroUSD"),
            "failed_calls": self.optional("failedCalls"),
        }

    def _fit_together(self) -> None:
        """Checks that outcome, exit code and reason belong together.

        A runner pairs them in fixed ways, and a forged reason must, too.
        """
        outcome, code = self.outcome(), self.number("exitCode", 255)
        reason = self.matching("reason", _REASON)
        if outcome == "Exited":
            fits = (code == 0) == (reason == "Completed")
        else:
            refused = outcome == "Refused" and code == REFUSED and reason != "Completed"
            fits = refused or (code, reason) in FIXED.get(outcome, ())
        if not fits:
            raise EnvelopeError(
                "outcome, exitCode and reason of the runner's report contradict each other"
            )

    def text(self, name: str, limit: int) -> str:
        """A text of at most `limit` bytes of UTF-8.

        Half a surrogate pair, which JSON can hold and the API server cannot, is refused.
        """
        value = self._values.get(name)
        if not isinstance(value, str):
            raise _invalid(name)
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise _invalid(name) from None
        if size > limit:
            raise _invalid(name)
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self.text(name, MAX_NAME_BYTES)
        if not pattern.fullmatch(value):
            raise _invalid(name)
        return value

    def outcome(self) -> Outcome:
        value = self.text("outcome", MAX_NAME_BYTES)
        if value not in get_args(Outcome):
            raise _invalid("outcome")
        return cast("Outcome", value)

    def number(self, name: str, limit: int) -> int:
        """A number from 0 to limit. true and 1.0 do not count as numbers."""
        value = self._values.get(name)
        if type(value) is not int or not 0 <= value <= limit:
            raise _invalid(name)
        return value

    def optional(self, name: str) -> int | None:
        """A number, or None if it is null or missing: the runner may be older than the field."""
        return None if self._values.get(name) is None else self.number(name, MAX_COUNT)

    def time(self, name: str) -> datetime:
        try:
            return datetime.fromisoformat(self.matching(name, _TIME))
        except ValueError:  # the 31st of February, or already an EnvelopeError
            raise _invalid(name) from None

    def optional_time(self, name: str) -> datetime | None:
        """A time, or None if it is null. It may not be missing."""
        return None if self._values.get(name, "") is None else self.time(name)


def _invalid(name: str) -> EnvelopeError:
    return EnvelopeError(f"the field {name} of the runner's report is missing or not valid")
