"""One run from start to end, and what is said about it."""

from __future__ import annotations

import os
import time

from agentjobs_runner import agents, envelope, proc, revision
from agentjobs_runner.imports import require_imports
from agentjobs_runner.livelog import in_flight_bytes
from agentjobs_runner.quick import signal
from agentjobs_runner.report import RefusedError, Report
from agentjobs_runner.supervise import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from agentjobs_runner.signals import Signals

TERMINATION_LOG = "dev/termination-log"
MAX_NAME_CHARACTERS = 253
PRINT_SECONDS = 10.0
# The runtime reads stdout and stderr in two tasks. It gets this long to write down the end of
# stderr before the envelope comes, where that is little; where it is much, filler pushes it out,
# for at most PUSH_SECONDS.
SETTLE_SECONDS = 0.02
PUSH_SECONDS = 4.0
# After SIGTERM the log can be read only while the container runs: with 5 s to stop the script,
# inside a grace period of 30 s.
LINGER_SECONDS = 15.0
# Read by the runner, not passed on to the script.
DIGEST = "AGENTJOBS_DIGEST"
TIMEOUT = "AGENTJOBS_TIMEOUT_SECONDS"
LINGER = "AGENTJOBS_LINGER_SECONDS"
SECRET_VARIABLES = "AGENTJOBS_SECRET_VARIABLES"  # noqa: S105  no secret: the variable that names those which hold some
PACKAGES = "AGENTJOBS_PACKAGES"

# The event, for a run that one starts. The script gets its name and, on its input, its content.
EVENT_FILE = "AGENTJOBS_EVENT_FILE"


def main(root: str, signals: Signals) -> NoReturn:
    """Runs the script below `root` ("/" in a container) and exits with the code of the record."""
    report = Report(os.environ.get("JOB_RUN_ID", "")[:MAX_NAME_CHARACTERS], _digest())
    log = -1
    try:
        proc.hide_from_children()
        log = _open_termination_log(root)
        proc.require_pid_one()
        supervisor = Supervisor(signals, _secrets())
        _run(root, report, supervisor)
        _tell(report, supervisor, log)
        _linger(supervisor)
    except BaseException as error:  # noqa: BLE001  as PID 1 there is nobody else to tell
        _fail(report, error, log)
    os._exit(report.exit_code)


def _run(root: str, report: Report, supervisor: Supervisor) -> None:
    """Fills the report in. On return no other process is left."""
    try:
        limit = _limit_seconds()
        script = revision.approved_script(root, report.digest)
        environment = _environment(root)
        path = None if script is None else revision.write_script(root, script)
        if path:
            require_imports(path, environment)
        agents.hold_session(root)
        if supervisor.hear():
            report.terminated()
            return
        report.start()
        _start(supervisor, ["python3", path] if path else agents.command(), environment)
    except RefusedError as refusal:
        report.started_at = None
        report.refused(refusal)
        return
    status, stopped = supervisor.run(limit)
    if stopped:
        report.terminated()
    elif status is None:
        report.timed_out(limit)
    else:
        report.exited(status)
        if path:
            _explain(report, path, supervisor)
    agents.take_notes(root, report, _secrets(), script=path is not None)


def _environment(root: str) -> dict[str, str]:
    """What the script gets."""
    own = (DIGEST, TIMEOUT, LINGER, SECRET_VARIABLES, PACKAGES)
    environment = {name: value for name, value in os.environ.items() if name not in own}
    if PACKAGES in os.environ:
        # Ahead of what the job itself has there: what was approved is what is imported.
        folders = (os.environ[PACKAGES], os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = ":".join(filter(None, folders))
    environment.setdefault("PYTHONUNBUFFERED", "1")
    if root != "/":
        environment[agents.ROOT] = root
    return environment


def _explain(report: Report, path: str, supervisor: Supervisor) -> None:
    """Code 1 is also what Python exits with when it gave the script up."""
    if report.exit_code == 1:
        from agentjobs_runner.late import reason_for  # noqa: PLC0415  needed in failing runs only

        if found := reason_for(path, supervisor.stderr.capture):
            report.reason, report.message = found


def _start(supervisor: Supervisor, command: list[str], environment: dict[str, str]) -> None:
    try:
        supervisor.start(command, environment, environment.get(EVENT_FILE) or "/dev/null")
    except OSError as error:
        raise RefusedError(
            "StartFailed", f"{command[0]} could not be started: {error.strerror}"
        ) from error


def _secrets() -> list[bytes]:
    """The values of the variables from Secrets; the operator names them, separated by commas."""
    named = os.environb.get(SECRET_VARIABLES.encode(), b"").split(b",")
    return [os.environb.get(name, b"") for name in named]


def _digest() -> str:
    digest = os.environ.get(DIGEST, "")
    return digest if len(digest) == 64 and set(digest) <= set("0123456789abcdef") else ""


def _limit_seconds() -> int:
    text = os.environ.get(TIMEOUT, "")
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 9):
        raise RefusedError("StartFailed", f"{TIMEOUT} is not a whole number of seconds")
    return int(text)


def _tell(report: Report, supervisor: Supervisor, log: int) -> None:
    """Termination message first: if the log's reader is stuck, it still says how the run ended."""
    stdout, stderr = supervisor.stdout, supervisor.stderr
    stderr.end_line()
    stdout.end_line()
    dropped = stdout.dropped + stderr.dropped
    record = envelope.Envelope(report, stdout.capture, stderr.capture, dropped)
    _write_termination(log, record.termination)
    _settle(supervisor, record.marker)
    stdout.send(b"".join(record.lines))
    if stdout.crowded:
        stdout.send(envelope.filler(record.marker, in_flight_bytes(stdout.sink)))
    supervisor.work_until(lambda: not stdout.wants_writing, PRINT_SECONDS)


def _settle(supervisor: Supervisor, marker: str) -> None:
    """Until stderr is in the log file, so that nothing of it comes behind the envelope.

    A run that was told to stop is read before its container ends, and then only the last line of
    the log proves whose envelope it is: what a script wrote to stderr must not come later, however
    little it is.
    """
    stderr = supervisor.stderr
    if stderr.crowded or (supervisor.told and not stderr.silent):
        stderr.send(envelope.filler(marker, in_flight_bytes(stderr.sink)))
        supervisor.work_until(lambda: not stderr.wants_writing, PUSH_SECONDS)
    else:
        supervisor.work_until(lambda: False, stderr.heard_at + SETTLE_SECONDS - time.monotonic())


def _linger(supervisor: Supervisor) -> None:
    if supervisor.hear():
        text = os.environ.get(LINGER, "")
        seconds = min(float(text), LINGER_SECONDS) if text.isdigit() else LINGER_SECONDS
        supervisor.work_until(lambda: False, seconds)


def _fail(report: Report, error: BaseException, log: int) -> None:
    """The runner itself failed.

    Nothing may go on running unwatched, and the termination message is all that is left to say it.
    """
    report.failed(error)
    for action in (
        lambda: proc.signal_everyone(signal.SIGKILL),
        lambda: _write_termination(log, envelope.failure(report)),
        lambda: os.write(2, f"[agentjobs: {report.message}]\n".encode()),
    ):
        try:
            action()
        except (OSError, proc.NotPidOneError):
            continue


def _open_termination_log(root: str) -> int:
    """-1 when there is none: the run goes on, and its reader sees that the message is missing."""
    try:
        return os.open(os.path.join(root, TERMINATION_LOG), os.O_WRONLY)
    except OSError:
        return -1


def _write_termination(log: int, message: bytes) -> None:
    """Replaces whatever the script may have written there itself."""
    if log < 0:
        return
    try:
        os.ftruncate(log, 0)
        os.pwrite(log, message, 0)
    except OSError as error:
        why = f"the termination message could not be written: {error.strerror}"
        os.write(2, f"[agentjobs: {why}]\n".encode())
