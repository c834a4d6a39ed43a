"""Reads a runner's final report: the envelope in the log, its short form as termination message.

    @agentjobs:envelope <marker> <i>/<n> <base64 of a part>       n lines, i from 1
    @agentjobs:end <marker> <n> <SHA-256 of the compressed bytes>
    @agentjobs:filler <marker> <dots>                              where last lines could be lost

The parts together are zlib-compressed JSON. A log is the output of a script that may have been
written to deceive, so nothing in it is trusted: sizes are bounded before anything is unpacked, and
every field is checked.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from agentjobs.core.errors import AgentjobsError
from agentjobs.core.wire.bounded import Malformed, loads

VERSION = 1
LINE_PREFIX = "@agentjobs:envelope"
END_PREFIX = "@agentjobs:end"
FILLER_PREFIX = "@agentjobs:filler"
MAX_LINE_BYTES = 8192
MAX_LINES = 90
MAX_TERMINATION_BYTES = 4096
# What a reader asks of the log API: the envelope's lines, its end line, the filler of both streams
# (24 lines each, where pipes hold 64 KiB), and some that came late on the other stream.
TAIL_LINES = 150
# What it asks for next: of stderr up to 500 lines are left to come late, see the runner's
# `livelog`. And what is asked for where there is no envelope, and what is kept of that: a live log
# has at most 8 MiB.
WIDE_LINES = 2_500
LIVE_BYTES = 51_200

# Of each stream at most 51,200 bytes are kept, and an invalid byte is shown as four characters; the
# rest is the marker line between.
MAX_OUTPUT_BYTES = 4 * 51_200 + 200
MAX_TAIL_BYTES = 4 * 1000
MAX_NAME_BYTES = 253
MAX_MESSAGE_BYTES = 4 * 500
# JSON can take six bytes for one.
MAX_RECORD_BYTES = 6 * 2 * 51_200 + 64 * 1024
MAX_COUNT = 2**63 - 1
# A record is a flat object; with room for fields of a later runner.
MAX_DEPTH = 4
MAX_VALUES = 200

Outcome = Literal["Exited", "TimedOut", "Terminated", "Refused"]
FIXED: Mapping[str, tuple[tuple[int, str], ...]] = {
    "TimedOut": ((124, "Timeout"),),
    "Terminated": ((143, "Terminated"),),
    "Refused": ((70, "RunnerFailed"),),
}
"""Exit code and reason that a runner gives for these outcomes."""
REFUSED = 78
"""The exit code of a script that was not started, whatever the reason."""

_END = re.compile(rb"@agentjobs:end ([0-9a-f]{32}) ([1-9][0-9]?) ([0-9a-f]{64})")
_LINE = re.compile(
    rb"@agentjobs:envelope ([0-9a-f]{32}) ([1-9][0-9]?)/([1-9][0-9]?) ([A-Za-z0-9+/]+={0,2})"
)
_FILLER = re.compile(rb"@agentjobs:filler ([0-9a-f]{32}) \.+")
_CUT_FILLER = re.compile(rb"@agentjobs:filler [0-9a-f]{0,32} ?\.*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_REASON = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_HEX = re.compile(r"([0-9a-f]{64})?")


class EnvelopeError(AgentjobsError, ValueError):
    """The envelope could not be read; the message says why in a sentence fit for a run's status."""


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
    """The envelope at the end of a log, or of its last WIDE_LINES lines. Raises EnvelopeError.

    sha256: the checksum that the short form names. With it only the envelope it names counts,
    wherever it stands: the runtime reads stdout and stderr in two tasks, so lines of stderr can
    come late, behind or between the envelope's. An empty one says that there is none, whatever the
    log looks like. With None, while there is no termination message yet, the end line has to be the
    last line, apart from filler of its own marker, where a script could not have written it.
    """
    fields = _Fields(read_object(log, sha256))
    return Envelope(
        **fields.common(),
        stdout=fields.text("stdout", MAX_OUTPUT_BYTES),
        stderr=fields.text("stderr", MAX_OUTPUT_BYTES),
    )


def read_object(log: bytes, sha256: str | None) -> Mapping[str, object]:
    """The JSON object in the envelope, its fields not looked at yet.

    Raises EnvelopeError; see `read_envelope`.
    """
    lines = log.removesuffix(b"\n").rsplit(b"\n", WIDE_LINES)[-WIDE_LINES:]
    position, marker, count, checksum = _end_line(lines, sha256)
    packed = b"".join(_parts(lines[:position], marker, count))
    if hashlib.sha256(packed).hexdigest() != checksum:
        raise EnvelopeError("the checksum of the runner's report does not match")
    return _unpack(packed)


def live_output(log: bytes) -> str:
    """The end of a live log, both streams as they came, in place of an envelope.

    Only whole lines, and none of a broken envelope.
    """
    ours = (LINE_PREFIX.encode(), END_PREFIX.encode())
    lines = (line for line in log.splitlines(keepends=True) if not line.startswith(ours))
    kept = b"".join(line for line in lines if not _CUT_FILLER.fullmatch(line.removesuffix(b"\n")))
    if len(kept) > LIVE_BYTES:
        kept = kept[-LIVE_BYTES - 1 :].partition(b"\n")[2] or kept[-LIVE_BYTES:]
    return kept.decode(errors="backslashreplace")


def read_short_form(message: str) -> ShortForm | None:
    """The short form; None for text that is not a runner's.

    Any process of the container can write a termination message.
    """
    try:
        if len(message.encode()) > MAX_TERMINATION_BYTES:
            return None
        fields = _Fields(_object(message.encode()))
        return ShortForm(
            **fields.common(),
            sha256=fields.matching("sha256", _HEX),
            lines=fields.number("lines", MAX_LINES),
            stdout_tail=fields.text("stdoutTail", MAX_TAIL_BYTES),
            stderr_tail=fields.text("stderrTail", MAX_TAIL_BYTES),
        )
    except ValueError:
        return None


def _end_line(lines: list[bytes], sha256: str | None) -> tuple[int, bytes, int, str]:
    """The end line: its position, marker, number of envelope lines and checksum."""
    for position in _candidates(lines, sha256):
        match = _END.fullmatch(lines[position])
        if match and int(match[2]) <= MAX_LINES and sha256 in (None, match[3].decode()):
            return position, match[1], int(match[2]), match[3].decode()
    if sha256 is None:
        raise EnvelopeError("the log ends without the runner's report")
    if not sha256:
        raise EnvelopeError("the runner printed no report")
    raise EnvelopeError("the end of the log does not contain the runner's report")


def _candidates(lines: list[bytes], sha256: str | None) -> Iterable[int]:
    """Anywhere if the end line's checksum is known, else at the end, apart from its own filler."""
    if sha256 is not None:
        return reversed(range(len(lines)))
    markers: set[bytes] = set()
    for position in reversed(range(len(lines))):
        filler = _FILLER.fullmatch(lines[position])
        if not filler:
            end = _END.fullmatch(lines[position])
            return (position,) if end and markers <= {end[1]} else ()
        markers.add(filler[1])
    return ()


def _parts(lines: list[bytes], marker: bytes, count: int) -> list[bytes]:
    found: dict[int, bytes] = {}
    ours = b"%s %s " % (LINE_PREFIX.encode(), marker)
    for line in lines:
        match = (
            _LINE.fullmatch(line) if line.startswith(ours) and len(line) < MAX_LINE_BYTES else None
        )
        if match and int(match[3]) == count:
            found[int(match[2])] = match[4]
    for number in range(1, count + 1):
        if number not in found:
            raise EnvelopeError(
                f"line {number} of {count} of the runner's report is missing or damaged"
            )
    try:
        return [
            binascii.a2b_base64(found[number], strict_mode=True) for number in range(1, count + 1)
        ]
    except binascii.Error:
        raise EnvelopeError("a line of the runner's report is not valid base64") from None


def _unpack(packed: bytes) -> Mapping[str, object]:
    decompressor = zlib.decompressobj()
    try:
        record = decompressor.decompress(packed, MAX_RECORD_BYTES + 1)
    except zlib.error:
        raise EnvelopeError("the runner's report cannot be decompressed") from None
    if len(record) > MAX_RECORD_BYTES:
        raise EnvelopeError(f"the runner's report has more than {MAX_RECORD_BYTES} bytes")
    if not decompressor.eof or decompressor.unused_data:
        raise EnvelopeError("the runner's report cannot be decompressed")
    return _object(record)


def _object(data: bytes) -> Mapping[str, object]:
    """The JSON object in the data, of version VERSION. Raises EnvelopeError."""
    try:
        value = loads(data, max_bytes=MAX_RECORD_BYTES, max_depth=MAX_DEPTH, max_values=MAX_VALUES)
    except Malformed:
        raise EnvelopeError("the runner's report is not JSON") from None
    if not isinstance(value, dict):
        raise EnvelopeError("the runner's report is not a JSON object")
    if type(value.get("version")) is not int or value["version"] != VERSION:
        raise EnvelopeError(f"the version of the runner's report is not {VERSION}")
    return value


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
            "started_at": None
            if self._values.get("startedAt", "") is None
            else self.time("startedAt"),
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
        outcome, code, reason = (
            self.outcome(),
            self.number("exitCode", 255),
            self.matching("reason", _REASON),
        )
        if outcome == "Exited":
            fits = (code == 0) == (reason == "Completed")
        else:
            fits = (code, reason) in FIXED.get(outcome, ()) or (
                outcome == "Refused" and code == REFUSED and reason != "Completed"
            )
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


def _invalid(name: str) -> EnvelopeError:
    return EnvelopeError(f"the field {name} of the runner's report is missing or not valid")
