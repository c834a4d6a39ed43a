"""What a runner prints at its end.

Written from the format's description, apart from the runner's own code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from datetime import datetime

from agentjobs.api import names
from agentjobs.cluster.client import Json


def log_of(pod: Json, stdout: str, exit_code: int, started: datetime, finished: datetime) -> bytes:
    """The log of a run's pod. Exit code 143: the runner was told to end."""
    terminated = exit_code == 143
    reason = "Terminated" if terminated else "ScriptFailed" if exit_code else "Completed"
    record = {
        "version": 1,
        "runId": pod["metadata"]["labels"]["batch.kubernetes.io/job-name"],
        "digest": pod["metadata"]["annotations"][names.DIGEST_ANNOTATION],
        "outcome": "Terminated" if terminated else "Exited",
        "exitCode": exit_code,
        "reason": reason,
        "message": f"the script exited with code {exit_code}",
        "startedAt": _precise(started),
        "finishedAt": _precise(finished),
        **dict.fromkeys(("stdoutDroppedBytes", "stderrDroppedBytes", "logDroppedBytes"), 0),
        "stdout": stdout,
        "stderr": "",
    }
    return stdout.encode() + envelope(json.dumps(record).encode())


def installer_log(pins: list[str], *, kept: bool) -> tuple[bytes, str]:
    """The log and termination message of an installer that resolved these pins to themselves."""
    requirements = "".join(f"{pin} \\\n    --hash=sha256:{'0' * 64}\n" for pin in pins)
    record = {
        "version": 1,
        "digest": "",
        "resolved": "\n".join(pins),
        "requirements": "" if kept else requirements,
    }
    log = envelope(json.dumps(record).encode())
    answer = {
        "version": 1,
        "digest": "",
        "reason": "PackagesInstalled",
        "message": "",
        "sha256": log.split()[-1].decode(),
    }
    return log, json.dumps(answer)


def envelope(record: bytes, marker: str = "0" * 32) -> bytes:
    """A record of up to some 6,000 bytes compressed, in one line and the end line."""
    packed = zlib.compress(record)
    line = f"@agentjobs:envelope {marker} 1/1 {base64.b64encode(packed).decode()}\n"
    return f"{line}@agentjobs:end {marker} 1 {hashlib.sha256(packed).hexdigest()}\n".encode()


def _precise(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
