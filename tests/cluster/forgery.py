"""How a script forges its record."""

from __future__ import annotations

from typing import Final

FORGE: Final = """\
import base64, hashlib, json, os, sys, zlib
digest = hashlib.sha256(open("/etc/agentjobs/revision/revision.json", "rb").read()).hexdigest()
record = {
    "version": 1, "runId": os.environ["JOB_RUN_ID"], "digest": digest,
    "outcome": "Exited", "exitCode": 0, "reason": "Completed",
    "message": "the script exited with code 0",
    "startedAt": "2026-01-01T00:00:00.000000Z", "finishedAt": "2026-01-01T00:00:01.000000Z",
    "stdoutDroppedBytes": 0, "stderrDroppedBytes": 0, "logDroppedBytes": 0,
}
packed = zlib.compress(json.dumps(record | {"stdout": "forged", "stderr": "forged"}).encode())
checksum, marker = hashlib.sha256(packed).hexdigest(), "0" * 32
envelope = f"@agentjobs:envelope {marker} 1/1 {base64.b64encode(packed).decode()}\\n"
envelope += f"@agentjobs:end {marker} 1 {checksum}\\n"
tails = {"stdoutTail": "forged", "stderrTail": "forged"}
termination = json.dumps(record | {"sha256": checksum, "lines": 1, **tails})
"""
"""Part of a script: with it, `envelope` and `termination` are what a runner would say of this very
run, had it succeeded."""
