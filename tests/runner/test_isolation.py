"""A script runs with the runner's uid. It neither writes nor reads in the runner's place."""

from __future__ import annotations

import inspect
import json
import signal
import subprocess

import pytest

from agentjobs_runner import livelog
from agentjobs_runner.capture import Capture
from agentjobs_runner.envelope import Envelope as WrittenEnvelope
from agentjobs_runner.report import Report
from tests.runner.container import RUN_ID, Host

TRY = """
def tried(action):
    try: action()
    except OSError as error: return type(error).__name__
    return 'done'
"""


def forged() -> bytes:
    report = Report(RUN_ID, "f" * 64)
    report.start()
    report.exited(0)
    capture = Capture()
    capture.feed(b"all is well\n")
    return b"".join(WrittenEnvelope(report, capture, Capture(), 0).lines)


@pytest.mark.parametrize(
    "path", ["/proc/1/fd/1", "/proc/1/fd/2", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps"]
)
def test_the_runners_insides_are_closed_to_the_script(host: Host, path: str) -> None:
    mode = "ab" if "/fd/" in path else "rb"
    envelope = host.run(
        f"{TRY}\nimport os\nprint(os.getuid(), tried(lambda: open({path!r}, {mode!r}, 0)))"
    ).envelope
    assert envelope.stdout == "65532 PermissionError\n"


def test_the_runner_cannot_be_traced(host: Host) -> None:
    script = (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.ptrace(16, 1, 0, 0),"
        " ctypes.get_errno())"
    )
    assert host.run(script).envelope.stdout == "-1 1\n"


def test_the_runners_descriptors_cannot_be_fetched(host: Host) -> None:
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(438, os.pidfd_open(1), 1, 0), ctypes.get_errno())  # pidfd_getfd
"""
    assert host.run(script).envelope.stdout == "-1 1\n"


def test_an_envelope_that_a_script_prints_on_its_last_lines_is_output(host: Host) -> None:
    script = f"import os\nfor n in (1, 2): os.write(n, {forged()!r})\nos._exit(9)"
    ended = host.run(script)
    assert (ended.envelope.exit_code, ended.envelope.reason) == (9, "ScriptFailed")
    assert ended.envelope.stdout.encode() == ended.envelope.stderr.encode() == ended.stderr


def test_a_forged_envelope_in_the_termination_log_is_replaced(host: Host) -> None:
    script = """
import os
root = __file__.removesuffix('/tmp/agentjobs/script.py')
open(root + '/dev/termination-log', 'w').write('x' * 9000)
os._exit(9)
"""
    ended = host.run(script)
    assert json.loads(ended.termination)["exitCode"] == 9
    assert ended.short_form.sha256


def test_the_script_sees_its_run_and_not_what_is_meant_for_the_runner(host: Host) -> None:
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    envelope = host.run(
        script, TOKEN="t", AGENTJOBS_EVENT_FILE="/dev/null", HOME="/home/agent"
    ).envelope
    seen = json.loads(envelope.stdout)
    assert seen.pop("AGENTJOBS_ROOT") != "/"  # not set in a container, where it would be
    # Python sets it for itself and its children where no locale is set (PEP 538).
    seen.pop("LC_CTYPE", None)
    assert seen == {
        "PATH": seen["PATH"],
        "JOB_RUN_ID": RUN_ID,
        "TOKEN": "t",
        "AGENTJOBS_EVENT_FILE": "/dev/null",
        "HOME": "/home/agent",
        "PYTHONUNBUFFERED": "1",
    }


def test_a_job_may_have_its_output_buffered(host: Host) -> None:
    assert (
        host.run(
            "import os; print(os.environ['PYTHONUNBUFFERED'])", PYTHONUNBUFFERED=""
        ).envelope.stdout
        == "\n"
    )


def test_what_a_job_sets_for_python_reaches_its_script_and_not_the_runner(host: Host) -> None:
    envelope = host.run(
        "import os; print(os.environ['PYTHONVERBOSE'][:0], end='')",
        PYTHONVERBOSE="1",
        PYTHONHASHSEED="0",
    ).envelope
    assert "import '__main__'" not in envelope.stdout
    assert envelope.exit_code == 0


def test_the_script_is_run_as_python_would_run_it(host: Host) -> None:
    script = (
        "import os, sys\nprint(__name__, sys.argv == [__file__], sys.path[0] =="
        " os.path.dirname(__file__))"
    )
    assert host.run(script).envelope.stdout == "__main__ True True\n"


def test_the_script_leads_a_session_of_its_own(host: Host) -> None:
    assert (
        host.run(
            "import os; print(os.getsid(0) == os.getpgrp() == os.getpid(), os.getppid())"
        ).envelope.stdout
        == "True 1\n"
    )


def test_the_script_starts_in_the_working_directory(host: Host) -> None:
    assert (
        host.run("import os; print(os.path.basename(os.getcwd()))").envelope.stdout == "workspace\n"
    )


def test_the_script_starts_with_the_signals_of_a_shell(host: Host) -> None:
    """The runner, like every Python, ignores SIGPIPE and SIGXFSZ for itself.

    A script in Python's place shows what the runner hands down.
    """
    stand_in = host.image.bin / "stand-in" / "python3"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\ngrep -E 'Sig(Ign|Blk)' /proc/self/status\n")
    stand_in.chmod(0o755)
    output = host.run("", PATH=f"{stand_in.parent}:/usr/bin:/bin").envelope.stdout
    blocked, ignored = (int(line.split()[1], 16) for line in output.splitlines())
    assert blocked == 0
    assert ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1) == 0


def test_no_descriptor_of_the_runner_or_the_runtime_reaches_the_script(host: Host) -> None:
    ended = host.run(
        "import os; print(sorted(os.listdir('/proc/self/fd')))",
        prefix=("sh", "-c", 'exec 7</dev/null 9>&1; exec "$@"', "sh"),
    )
    assert ended.envelope.stdout == "['0', '1', '2', '3']\n"


def test_a_full_tmp_does_not_spoil_the_record(host: Host) -> None:
    """A file size of nothing is what a full disk looks like to a writer."""
    script = f"{TRY}\nimport resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    assert (
        host.run(script + "print(tried(lambda: open('f', 'wb', 0).write(b'x')))").envelope.stdout
        == "OSError\n"
    )


def test_a_script_that_takes_the_runners_memory_only_spoils_its_record(host: Host) -> None:
    """The kernel lets a process set the limits of another of its uid.

    The runner fails at its next buffer, and says where and nothing else.

    glibc is told to keep no memory in store: else it depends on what its heap has left how far the
    runner still comes.
    """
    script = (
        "import resource, sys\nresource.prlimit(1, resource.RLIMIT_AS, (0, 0))\nprint('swordfish')"
    )
    ended = host.run(script, SECRET="swordfish", MALLOC_TOP_PAD_="0", MALLOC_TRIM_THRESHOLD_="0")
    short = ended.short_form
    assert (ended.exit_code, short.exit_code, short.outcome, short.reason) == (
        70,
        70,
        "Refused",
        "RunnerFailed",
    )
    lines, first = inspect.getsourcelines(livelog.Channel.read)
    (offset,) = (number for number, line in enumerate(lines) if "os.read(" in line)
    assert short.message == f"the runner itself failed: MemoryError at livelog.py:{first + offset}"
    assert ended.stderr == f"[agentjobs: {short.message}]\n".encode()
    assert ended.stdout == b"", "it failed before it could pass anything on"
    assert "swordfish" not in ended.termination


def test_the_runner_stays_small(host: Host) -> None:
    script = (
        "print([int(line.split()[1]) for line in open('/proc/1/status') if"
        " line.startswith('VmHWM')][0])"
    )
    assert int(host.run(script).envelope.stdout) < 20 * 1024


def test_the_runner_imports_nothing_slow(host: Host) -> None:
    """What these imports take on the machine this was written on.

    In milliseconds: enum 5, re 4, hashlib 4, subprocess 11, argparse 13, typing 6.
    """
    program = (
        f"import sys; sys.path.insert(0, {str(host.image.library)!r}); import agentjobs_runner.run;"
        " print(*sys.modules)"
    )
    modules = subprocess.run(
        [host.image.python, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    slow = {
        "argparse",
        "collections",
        "dataclasses",
        "enum",
        "hashlib",
        "json",
        "logging",
        "pathlib",
        "re",
        "subprocess",
        "tempfile",
        "typing",
    }
    assert "agentjobs_runner.run" in modules
    assert not slow & set(modules)
