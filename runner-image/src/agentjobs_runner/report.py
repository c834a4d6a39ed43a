"""How a run ended, in the words of the envelope."""

from __future__ import annotations

import os
import time

from agentjobs_runner.quick import signal

EXIT_CALL_FAILED = 69
EXIT_RUNNER_FAILED = 70
EXIT_REFUSED = 78
EXIT_TIMED_OUT = 124
EXIT_TERMINATED = 143


class RefusedError(Exception):
    """The script is not started.

    `reason` is part of the API, the message a sentence for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Report:
    """The envelope's fields that are not output.

    Times are RFC 3339 in UTC with microseconds; started_at is None when nothing started.

    The tokens are None when no model was called, and the cost, in millionths of a dollar, also when
    a price is not known.
    """

    __slots__ = (
        "cost_micro_usd",
        "digest",
        "exit_code",
        "failed_calls",
        "finished_at",
        "input_tokens",
        "message",
        "outcome",
        "output_tokens",
        "reason",
        "run_id",
        "started_at",
    )

    def __init__(self, run_id: str, digest: str) -> None:
        self.run_id = run_id
        self.digest = digest
        self.started_at: str | None = None
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cost_micro_usd: int | None = None
        self.failed_calls: int | None = None
        self.end("Refused", EXIT_RUNNER_FAILED, "RunnerFailed", "the runner itself failed")

    def start(self) -> None:
        self.started_at = now()

    def end(self, outcome: str, exit_code: int, reason: str, message: str) -> None:
        self.outcome = outcome
        self.exit_code = exit_code
        self.reason = reason
        self.message = message
        self.finished_at = now()

    def refused(self, error: RefusedError) -> None:
        self.end("Refused", EXIT_REFUSED, error.reason, error.message)

    def failed(self, error: BaseException) -> None:
        message = f"the runner itself failed: {describe(error)}"
        self.end("Refused", EXIT_RUNNER_FAILED, "RunnerFailed", message)

    def timed_out(self, seconds: int) -> None:
        message = f"the script was ended at its time limit of {seconds} s"
        self.end("TimedOut", EXIT_TIMED_OUT, "Timeout", message)

    def terminated(self) -> None:
        when = "before it finished" if self.started_at else "before it started"
        self.end("Terminated", EXIT_TERMINATED, "Terminated", f"the script was stopped {when}")

    def exited(self, wait_status: int) -> None:
        code = os.waitstatus_to_exitcode(wait_status)
        if code < 0:
            message = f"the script was killed by {signal_name(-code)}"
            self.end("Exited", 128 - code, "KilledBySignal", message)
        else:
            reason = "ScriptFailed" if code else "Completed"
            self.end("Exited", code, reason, f"the script exited with code {code}")

    def lacked(self, reason: str, message: str) -> None:
        """A call of pi had no model, key or endpoint.

        A script that ended by itself has failed, whatever it made of that.
        """
        if self.outcome == "Exited":
            self.message = f"a call of pi failed: {message}; {self.message}"
            self.exit_code, self.reason = self.exit_code or EXIT_CALL_FAILED, reason

    def concluded(self, reason: str, message: str) -> None:
        """What an agent's program says of its own exit; the code counts, whatever it says."""
        if self.outcome == "Exited" and (self.exit_code == 0) == (reason == "Completed"):
            self.reason, self.message = reason, message


def now() -> str:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds // 1000:06d}Z"


def signal_name(number: int) -> str:
    for name in dir(signal):
        is_one = name.startswith("SIG") and not name.startswith("SIG_")
        if is_one and getattr(signal, name) == number:
            return name
    return f"signal {number}"  # between SIGRTMIN and SIGRTMAX most have no names


def describe(error: BaseException) -> str:
    """Where and what, never the error's words: they could quote output or environment values."""
    what = type(error).__name__
    if isinstance(error, OSError) and error.errno:
        what += f" ({os.strerror(error.errno)})"
    trace, place = error.__traceback__, "an unknown place"
    while trace:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{what} at {place}"
