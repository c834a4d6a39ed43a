"""Finds the lines in a log that hold what a runner reports, and the JSON object in them.

    @agentjobs:envelope <marker> <i>/<n> <base64 of a part>       n lines, i from 1
    @agentjobs:end <marker> <n> <SHA-256 of the compressed bytes>
    @agentjobs:filler <marker> <dots>                              where last lines could be lost

The parts together are zlib-compressed JSON. Nothing in a log is trusted: sizes are bounded before
anything is unpacked.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping

from agentjobs.core.errors import AgentjobsError
from agentjobs.core.wire.bounded import Malformed, loads

VERSION = 1
LINE_PREFIX = "@agentjobs:envelope"
END_PREFIX = "@agentjobs:end"
FILLER_PREFIX = "@agentjobs:filler"
MAX_LINE_BYTES = 8192
MAX_LINES = 90
# What a reader asks of the log API: the envelope's lines, its end line, the filler of both streams
# (24 lines each, where pipes hold 64 KiB), and some that came late on the other stream.
TAIL_LINES = 150
# What it asks for next: of stderr up to 500 lines are left to come late, see the runner's
# `livelog`. And what is asked for where there is no envelope, and what is kept of that: a live log
# has at most 8 MiB.
WIDE_LINES = 2_500
LIVE_BYTES = 51_200

# JSON can take six bytes for one.
MAX_RECORD_BYTES = 6 * 2 * 51_200 + 64 * 1024
# A record is a flat object; with room for fields of a later runner.
MAX_DEPTH = 4
MAX_VALUES = 200

_END = re.compile(rb"@agentjobs:end ([0-9a-f]{32}) ([1-9][0-9]?) ([0-9a-f]{64})")
_LINE = re.compile(
    rb"@agentjobs:envelope ([0-9a-f]{32}) ([1-9][0-9]?)/([1-9][0-9]?) ([A-Za-z0-9+/]+={0,2})"
)
_FILLER = re.compile(rb"@agentjobs:filler ([0-9a-f]{32}) \.+")
_CUT_FILLER = re.compile(rb"@agentjobs:filler [0-9a-f]{0,32} ?\.*")


class EnvelopeError(AgentjobsError, ValueError):
    """The envelope could not be read; the message says why in a sentence fit for a run's status."""


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


def json_object(data: bytes) -> Mapping[str, object]:
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
        may_be = line.startswith(ours) and len(line) < MAX_LINE_BYTES
        match = _LINE.fullmatch(line) if may_be else None
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
    return json_object(record)
