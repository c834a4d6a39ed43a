"""Installs the approved packages before the script starts, in an init container of the run's pod.

What is installed is a resolution: every package, the dependencies too, with version and hashes. The
first run of a revision makes it and prints it, the operator keeps it, and every later run installs
from what was kept. Wheels only: no code of a package runs here.

The answer is the termination message, a JSON object:
    {"version": 1, "digest": ..., "reason": ..., "message": ..., "sha256": ...}
On success its sha256 names the envelope at the end of the log (see `envelope`), a JSON object, too:
    {"version": 1, "digest": ..., "resolved": "a==1\nb==2", "requirements": ...}
where `requirements` is the resolution if this run made it, else empty.
"""

from __future__ import annotations

import os
import signal
import sys
import zlib

from agentjobs_runner import envelope, revision
from agentjobs_runner.quick import sha256_hex, to_json
from agentjobs_runner.report import RefusedError, describe
from agentjobs_runner.resolve import Installer, bounded
from agentjobs_runner.signals import STOP_SIGNALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from agentjobs_runner.signals import Signals

TERMINATION_LOG = "dev/termination-log"
KEPT = "etc/agentjobs/packages/requirements.txt"
CERTIFICATES = "etc/agentjobs/ca"
CACHE = "var/cache/agentjobs"
TARGET = "opt/agentjobs/packages"
EXIT_FAILED, EXIT_TERMINATED = 1, 143
MAX_MESSAGE_BYTES = 3000
MAX_RESOLUTION_BYTES = 600_000


class Stopped(BaseException):
    """Not an Exception: nothing on the way may take it for a failure."""


def main(root: str, signals: Signals) -> NoReturn:
    """Installs below `root` ("/" in a container).

    SIGTERM, which `signals` may have heard already, ends it at once.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _stop)
    digest = os.environ.get("AGENTJOBS_DIGEST", "")
    log = os.open(os.path.join(root, TERMINATION_LOG), os.O_WRONLY | os.O_TRUNC)
    try:
        if set(STOP_SIGNALS) & set(signals.arrived()):
            _stop()
        lines, checksum = _install(root, digest)
        code, reason, message = 0, "PackagesInstalled", "the packages are installed"
        sys.stdout.buffer.write(b"".join(lines))
        sys.stdout.flush()
    except Stopped:
        code, reason, checksum = EXIT_TERMINATED, "Terminated", ""
        message = "the installation was stopped"
    except RefusedError as refusal:
        code, reason, message, checksum = EXIT_FAILED, refusal.reason, refusal.message, ""
    except Exception as error:  # noqa: BLE001 as PID 1 there is nobody else to tell
        code, reason, checksum = EXIT_FAILED, "RunnerFailed", ""
        message = f"the installer itself failed: {describe(error)}"
    answer: envelope.Fields = {
        "version": 1,
        "digest": digest[:64],
        "reason": reason,
        "message": bounded(message, MAX_MESSAGE_BYTES),
        "sha256": checksum,
    }
    os.write(log, to_json(answer))
    if code:
        sys.stderr.write(f"[agentjobs: {message}]\n")
        sys.stderr.flush()
    os._exit(code)


def _stop(*_: object) -> NoReturn:
    raise Stopped


def _install(root: str, digest: str) -> tuple[list[bytes], str]:
    """The envelope's lines and its checksum."""
    pins = revision.approved_packages(root, digest)
    installer = Installer(
        target=os.path.join(root, TARGET),
        cache=_existing(os.path.join(root, CACHE)),
        certificates=_existing(
            os.path.join(root, CERTIFICATES, os.environ.get("AGENTJOBS_CA_KEY", ""))
        ),
        environment=os.environ,
    )
    kept = os.path.join(root, KEPT)
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            resolution = file.read()
    else:
        resolution = installer.resolve(pins)
    if len(resolution) > MAX_RESOLUTION_BYTES:
        raise RefusedError(
            "PackageInstallFailed",
            f"the list of packages and hashes has {len(resolution)} bytes, and at most"
            f" {MAX_RESOLUTION_BYTES} are allowed; ask for fewer packages",
        )
    resolved = installer.install(pins, resolution)
    record: envelope.Fields = {"version": 1, "digest": digest, "resolved": "\n".join(resolved)}
    packed = zlib.compress(
        to_json({**record, "requirements": "" if os.path.exists(kept) else resolution})
    )
    checksum = sha256_hex(packed)
    return envelope.envelope_lines(packed, checksum, os.urandom(16).hex()), checksum


def _existing(path: str) -> str:
    return path if os.path.exists(path) else ""
