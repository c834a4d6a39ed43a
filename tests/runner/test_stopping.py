"""The limit, and being told to stop: at every moment of a run."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from agentjobs_runner import run, supervise
from tests.runner.container import (
    AS_AGENT,
    AS_PID_ONE,
    PATIENCE_SECONDS,
    Host,
    revision,
    wait_until,
)

READY = "import os, signal, sys, time\nprint('ready')\n"
DEAF = (
    "import os, signal, sys, time\nfor n in (2, 15): signal.signal(n,"
    " signal.SIG_IGN)\nprint('ready')\n"
)


def test_stopping_and_lingering_fit_into_the_grace_period_of_a_pod() -> None:
    assert (
        supervise.GRACE_SECONDS + supervise.LAST_SECONDS + run.PUSH_SECONDS + run.LINGER_SECONDS
        < 30
    )
    assert run.LINGER_SECONDS == 15


def test_a_script_past_its_limit_is_told_and_then_recorded_as_timed_out(host: Host) -> None:
    script = READY + "signal.signal(15, lambda *_: (print('told'), sys.exit(0)))\ntime.sleep(60)"
    ended = host.run(script, AGENTJOBS_TIMEOUT_SECONDS="1")
    envelope = ended.envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("TimedOut", 124, "Timeout")
    assert envelope.message == "the script was ended at its time limit of 1 s"
    assert envelope.stdout == "ready\ntold\n"
    assert 1 <= ended.seconds < 3


def test_told_to_stop_the_record_is_readable_while_the_container_lingers(host: Host) -> None:
    running = host.start(READY + "time.sleep(60)")
    running.expect(b"ready\n")
    running.signal(signal.SIGTERM)
    running.expect_envelope()
    assert running.alive
    ended = running.wait()
    assert (ended.envelope.outcome, ended.envelope.reason, ended.exit_code) == (
        "Terminated",
        "Terminated",
        143,
    )
    assert ended.envelope.stdout == "ready\n"
    assert ended.seconds >= 1


@pytest.mark.slow
def test_a_deaf_script_and_its_children_die_5_s_after_limit_or_sigterm(host: Host) -> None:
    endless = "while True: print('x' * 100); time.sleep(0.01)"
    past_limit = host.start(
        DEAF + "if os.fork() == 0: os.setsid()\n" + endless, AGENTJOBS_TIMEOUT_SECONDS="1"
    )
    told = host.start(DEAF + endless)
    told.expect(b"ready\n")
    told.signal(signal.SIGTERM)
    told.expect(b"xxx")
    told.signal(signal.SIGTERM)  # the second is taken like the first
    ended = past_limit.wait()
    assert (ended.envelope.outcome, ended.exit_code) == ("TimedOut", 124)
    assert 6 <= ended.seconds < 9
    ended = told.wait()
    assert (ended.envelope.outcome, ended.exit_code) == ("Terminated", 143)
    assert 6 <= ended.seconds < 10  # a second of it lingering


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_stop_a_run(host: Host, number: int) -> None:
    running = host.start(READY + "time.sleep(60)", AGENTJOBS_LINGER_SECONDS="0")
    running.expect(b"ready\n")
    running.signal(number)
    assert running.wait().envelope.outcome == "Terminated"


@pytest.mark.slow
def test_a_script_that_ends_well_because_of_sigterm_is_terminated(host: Host) -> None:
    running = host.start(
        "import signal, sys, time\nsignal.signal(15, lambda *_:"
        " sys.exit(0))\nprint('ready')\ntime.sleep(60)"
    )
    running.expect(b"ready\n")
    running.signal(signal.SIGTERM)
    assert running.wait().envelope.outcome == "Terminated"


ORDER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agentjobs_runner.signals import Signals
from agentjobs_runner.supervise import Supervisor
class Arrived(Signals):
    def __init__(self):
        self.descriptor, self.writer = os.pipe2(os.O_NONBLOCK)
supervisor = Supervisor(signals := Arrived())
supervisor.start(["true"], os.environ)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
os.write(signals.writer, bytes(map(int, sys.argv[2:])))
print(*supervisor.run(5), supervisor.told)
"""


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ((signal.SIGCHLD, signal.SIGTERM), "0 False True\n"),
        ((signal.SIGTERM, signal.SIGCHLD), "0 True True\n"),
    ],
    ids=["ended, then told", "told, then ended"],
)
def test_of_two_signals_heard_at_once_the_first_to_come_decides(
    host: Host, arrived: tuple[int, int], expected: str
) -> None:
    command = [
        *AS_PID_ONE,
        *AS_AGENT,
        host.image.python,
        "-c",
        ORDER,
        str(host.image.library),
        *(str(int(number)) for number in arrived),
    ]
    assert (
        subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
        ).stdout
        == expected
    )


@pytest.mark.slow
def test_told_before_the_script_has_started_nothing_starts(host: Host) -> None:
    """A named pipe as revision holds the runner where it reads it."""
    script = "print('started')"
    root = host.folder(script)
    file = root / "etc/agentjobs/revision/revision.json"
    file.unlink()
    os.mkfifo(file)
    running = host.start(script, root)
    with file.open("wb") as revision_file:  # opens when the runner reads
        running.signal(signal.SIGTERM)
        revision_file.write(revision(script))
    ended = running.wait()
    assert (ended.envelope.outcome, ended.envelope.exit_code, ended.envelope.started_at) == (
        "Terminated",
        143,
        None,
    )
    assert ended.envelope.message == "the script was stopped before it started"
    assert ended.live_stdout == b""


@pytest.mark.slow
def test_a_run_stopped_while_draining_keeps_its_outcome_and_lingers(host: Host) -> None:
    script = (
        READY + "if os.fork() == 0: time.sleep(0.2); os.write(1, b'drain\\n');"
        " time.sleep(60)\nos._exit(4)"
    )
    running = host.start(script, AGENTJOBS_LINGER_SECONDS="2")
    running.expect(b"drain\n")
    running.signal(signal.SIGTERM)
    running.expect_envelope()
    assert running.alive
    ended = running.wait()
    assert (ended.envelope.outcome, ended.exit_code) == ("Exited", 4)
    assert ended.seconds > 2


@pytest.mark.slow
def test_a_run_stopped_in_its_envelope_keeps_its_outcome_and_lingers(host: Host) -> None:
    script = "import os, random\nfor n in (1, 2): os.write(n, random.Random(n).randbytes(51200)); "
    running = host.start(script, reading=False)
    wait_until("the runner has nothing left to do but to print", running.termination)
    running.signal(signal.SIGTERM)
    running.read()
    running.expect_envelope()
    assert running.alive
    ended = running.wait()
    assert (ended.envelope.outcome, ended.exit_code) == ("Exited", 0)


@pytest.mark.slow
def test_a_run_stopped_after_its_limit_is_timed_out_and_lingers(host: Host) -> None:
    script = (
        DEAF + "signal.signal(15, lambda *_: (print('told'), time.sleep(0.5),"
        " sys.exit(0)))\ntime.sleep(60)"
    )
    running = host.start(script, AGENTJOBS_TIMEOUT_SECONDS="1", AGENTJOBS_LINGER_SECONDS="2")
    running.expect(b"told\n")
    running.signal(signal.SIGTERM)
    running.expect_envelope()
    assert running.alive
    assert running.wait().envelope.outcome == "TimedOut"
