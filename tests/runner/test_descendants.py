"""Whatever a script leaves is ended and buried before the record is made, and never delays it."""

from __future__ import annotations

import pytest

from tests.runner.container import Host

FORK = """
import os, sys, time, signal
def child(own_session=False):
    if os.fork() == 0:
        if own_session:
            os.setsid()
            if os.fork(): os._exit(0)
        return True
    return False
"""


def test_a_child_that_holds_the_output_open_gets_a_second(host: Host) -> None:
    ended = host.run(
        FORK + "if child(): time.sleep(0.3); print('late'); time.sleep(60)\nelse: print('parent')"
    )
    assert (ended.envelope.outcome, ended.envelope.exit_code) == ("Exited", 0)
    assert ended.envelope.stdout == "parent\nlate\n"
    assert 1 <= ended.seconds < 4


@pytest.mark.slow
def test_a_daemon_in_a_session_of_its_own_gets_no_more(host: Host) -> None:
    script = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if child(own_session=True): print('daemon'); time.sleep(60)
while not os.path.exists('seen'): time.sleep(0.01)
sys.exit(5)
"""
    running = host.start(FORK + script)
    running.expect(b"daemon\n")
    (running.root / "workspace/seen").touch()
    ended = running.wait()
    assert (ended.envelope.exit_code, ended.envelope.stdout) == (5, "daemon\n")
    assert 1 <= ended.seconds < 4


def test_a_child_without_our_output_is_ended_at_once(host: Host) -> None:
    ended = host.run(
        FORK + "if child(own_session=True): os.close(1); os.close(2); time.sleep(60)\nelse:"
        " print('done')"
    )
    assert ended.envelope.stdout == "done\n"
    assert ended.seconds < 1


@pytest.mark.slow
def test_a_child_that_writes_without_end_does_not_hold_the_record_up(host: Host) -> None:
    ended = host.run(
        FORK + "if child(own_session=True):\n  while True: os.write(1, b'x' * 65536)\nos._exit(3)"
    )
    assert (ended.envelope.outcome, ended.envelope.exit_code) == ("Exited", 3)
    assert ended.envelope.stdout_dropped_bytes > 1_000_000
    assert ended.seconds < 4


def test_what_a_dead_child_left_in_the_pipe_is_kept(host: Host) -> None:
    ended = host.run(
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(\"y\" * 60000)'])"
    )
    assert ended.envelope.stdout_dropped_bytes == 60_001 - 51_200


def test_orphans_are_buried_while_the_script_runs(host: Host) -> None:
    script = """
for _ in range(50):
    child(own_session=True) and os._exit(0)
zombies = 1
deadline = time.monotonic() + 10
while zombies and time.monotonic() < deadline:
    while True:
        try: os.waitpid(-1, 0)
        except ChildProcessError: break
    states = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try: states.append(open(f'/proc/{name}/stat').read().rsplit(')')[1].split()[0])
            except OSError: pass  # buried meanwhile
    zombies = states.count('Z')
print('zombies', zombies)
"""
    assert host.run(FORK + script).envelope.stdout == "zombies 0\n"


def test_a_script_that_ends_its_parents_group_ends_itself_only(host: Host) -> None:
    script = (
        "import os, signal; print('so'); os.killpg(os.getpgid(os.getppid()),"
        " signal.SIGKILL)\nos.killpg(0, signal.SIGKILL)"
    )
    ended = host.run(script)
    assert (ended.envelope.outcome, ended.envelope.exit_code, ended.envelope.stdout) == (
        "Exited",
        137,
        "so\n",
    )


def test_a_script_cannot_take_the_runner_along(host: Host) -> None:
    script = (
        "import os, signal\nfor n in (1, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20):"
        " os.kill(1, n)\nprint('alone')"
    )
    ended = host.run(script)
    assert (ended.envelope.outcome, ended.envelope.exit_code, ended.envelope.stdout) == (
        "Exited",
        0,
        "alone\n",
    )


@pytest.mark.slow
def test_stopped_processes_are_ended_too(host: Host) -> None:
    ended = host.run(
        FORK + "if child(own_session=True): os.kill(os.getpid(), signal.SIGSTOP)\nprint('done')"
    )
    assert ended.envelope.stdout == "done\n"
    assert ended.seconds < 4
