"""The envelope, version 1: a run's record ends the log; its short form is the termination message.

    @agentjobs:envelope <marker> <i>/<n> <base64 of a part>       n lines, i from 1
    @agentjobs:end <marker> <n> <SHA-256 of the compressed bytes>
    @agentjobs:filler <marker> <dots>                              after many lines: `livelog`

The parts together are zlib-compressed JSON. The names and limits here are the format; the
operator's reader has its own copy, and a contract test holds the two together.
"""

from __future__ import annotations

import binascii
import os
import zlib

from agentjobs_runner.capture import Capture
from agentjobs_runner.quick import sha256_hex, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentjobs_runner.report import Report

    Fields = dict[str, str | int | None]

VERSION = 1
LINE_PREFIX = "@agentjobs:envelope"
END_PREFIX = "@agentjobs:end"
FILLER_PREFIX = "@agentjobs:filler"
MAX_LINE_BYTES = 8192
MAX_LINES = 90
MAX_TERMINATION_BYTES = 4096
MAX_TAIL_BYTES = 1000
MAX_MESSAGE_CHARACTERS = 500
TAIL_STEP_BYTES = 50
# A line has its prefix, the marker (32), "90/90", three spaces and the newline. What is left holds
# groups of 4 characters for 3 bytes.
PART_BYTES = (MAX_LINE_BYTES - len(LINE_PREFIX) - 32 - 5 - 3 - 1) // 4 * 3


class Envelope:
    """The record in both forms. `lines` holds the envelope's whole lines, the end line last."""

    __slots__ = ("checksum", "lines", "marker", "termination")

    def __init__(self, report: Report, stdout: Capture, stderr: Capture, log_dropped: int) -> None:
        (out, out_dropped), (err, err_dropped) = stdout.text(), stderr.text()
        record = _record(report) | {
            "stdoutDroppedBytes": out_dropped,
            "stderrDroppedBytes": err_dropped,
            "logDroppedBytes": log_dropped,
        }
        packed = zlib.compress(to_json(record | {"stdout": out, "stderr": err}))
        self.checksum = sha256_hex(packed)
        self.marker = os.urandom(16).hex()
        self.lines = envelope_lines(packed, self.checksum, self.marker)
        about: Fields = {"sha256": self.checksum, "lines": len(self.lines) - 1}
        self.termination = short_form(record | about, stdout, stderr)


def envelope_lines(packed: bytes, checksum: str, marker: str) -> list[bytes]:
    parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
    count = len(parts)
    if count > MAX_LINES:
        raise ValueError(f"the envelope needs {count} lines, more than {MAX_LINES}")
    lines = [
        f"{LINE_PREFIX} {marker} {number}/{count} ".encode()
        + binascii.b2a_base64(part)  # with the newline
        for number, part in enumerate(parts, 1)
    ]
    return [*lines, f"{END_PREFIX} {marker} {count} {checksum}\n".encode()]


def filler(marker: str, size: int) -> bytes:
    """Whole lines without a meaning, at least `size` bytes.

    They are long, since each costs the runtime the same.
    """
    line = f"{FILLER_PREFIX} {marker} ".encode().ljust(MAX_LINE_BYTES - 1, b".") + b"\n"
    return line * -(-size // MAX_LINE_BYTES)


def short_form(record: Fields, stdout: Capture, stderr: Capture) -> bytes:
    """At most MAX_TERMINATION_BYTES: tails give way, as escaped text can take six bytes for one."""
    for limit in range(MAX_TAIL_BYTES, 0, -TAIL_STEP_BYTES):
        tails = {"stdoutTail": stdout.last(limit), "stderrTail": stderr.last(limit)}
        message = to_json(record | tails)
        if len(message) <= MAX_TERMINATION_BYTES:
            return message
    return to_json(record | {"stdoutTail": "", "stderrTail": ""})


def failure(report: Report) -> bytes:
    """The termination message of a runner that failed itself: there is no envelope."""
    named = ("stdoutDroppedBytes", "stderrDroppedBytes", "logDroppedBytes", "lines")
    counts: Fields = dict.fromkeys(named, 0)
    return to_json(_record(report) | counts | {"sha256": "", "stdoutTail": "", "stderrTail": ""})


def _record(report: Report) -> Fields:
    return {
        "version": VERSION,
        "runId": report.run_id,
        "digest": report.digest,
        "outcome": report.outcome,
        "exitCode": report.exit_code,
        "reason": report.reason,
        "message": report.message[:MAX_MESSAGE_CHARACTERS],
        "startedAt": report.started_at,
        "finishedAt": report.finished_at,
        "inputTokens": report.input_tokens,
        "outputTokens": report.output_tokens,
        "costMicroUSD": report.cost_micro_usd,
        "failedCalls": report.failed_calls,
    }
