"""Logs that a real runner wrote."""

from __future__ import annotations

import base64
import json
import zlib
from hashlib import sha256

DIGEST = "b923963ca2642f1caf65c2f79fc917d98bd47e3b20683e79dbb72e94165a7310"
CHECKSUM = "7d92c24a62071d0ecf59a0b522d3f2f73f276998d009902219f684ab65c8fef4"
# Printed by a runner of version 1. Runners of old images go on printing this, so it is never to be
# changed.
RECORDED_LOG = (
    b"hello\n@agentjobs:envelope 0fe6293b2428b558476cd1353e6dc1d8 1/1"
    b" eJx9jk1PhTAQRf8K6fph6FBayk6fLty7enFT2gGaACVtnx8x/ncHjCuNqzYn9565H+wFY/JhZR0/sXhdHx3r9rf"
    b"k7MScHzFlAr2GWsvaGpACBm7NIBsLg9KD1Vw53fZOKKx7qGRbo9Ku7xWgFlw2RtW8Ile4ZhsWJNnDm8/oCCF9zsE"
    b"Rq+g2mrTPYOewbDN+JxZMyYx7KU9YJBv9lgs8+sWrz1NhqV7s+pRNJHq7r4UKZMl5CfBUqU6IrmpuhGpayS+UHPz"
    b"q0/RfVDfA4XJIHc2+j2Hb0N29Z0zHVMIY4y88h/GvKBno0ITzHJ5X9tMmxD6/AGXAdAk=\n@agentjobs:end"
    b" 0fe6293b2428b558476cd1353e6dc1d8 1"
    b" 7d92c24a62071d0ecf59a0b522d3f2f73f276998d009902219f684ab65c8fef4\n"
)
RECORD: dict[str, object] = {
    "version": 1,
    "runId": "run-1",
    "digest": DIGEST,
    "outcome": "Exited",
    "exitCode": 0,
    "reason": "Completed",
    "message": "the script exited with code 0",
    "startedAt": "2026-11-22T07:44:05.475861Z",
    "finishedAt": "2026-11-22T07:44:05.495212Z",
    "stdoutDroppedBytes": 0,
    "stderrDroppedBytes": 0,
    "logDroppedBytes": 0,
    "stdout": "hello\n",
    "stderr": "",
}
SHORT = {name: value for name, value in RECORD.items() if name not in ("stdout", "stderr")} | {
    "sha256": CHECKSUM,
    "lines": 1,
    "stdoutTail": "hello\n",
    "stderrTail": "",
}


def log_of_packed(packed: bytes) -> bytes:
    """A log whose envelope is formally right, whatever it holds."""
    parts = [packed[start : start + 6000] for start in range(0, len(packed), 6000)]
    marker = b"0" * 32
    lines = [
        b"@agentjobs:envelope %s %d/%d %s\n" % (marker, n, len(parts), base64.b64encode(part))
        for n, part in enumerate(parts, 1)
    ]
    return b"".join(lines) + b"@agentjobs:end %s %d %s\n" % (
        marker,
        len(parts),
        sha256(packed).hexdigest().encode(),
    )


def log_of(record: object) -> bytes:
    return log_of_packed(zlib.compress(json.dumps(record).encode()))
