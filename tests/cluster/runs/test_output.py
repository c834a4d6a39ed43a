"""What scripts do to their output, by accident or on purpose, and each record, exact to the byte.

All scripts run side by side, in one namespace.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pytest

from agentjobs.core.runner.envelope import read_envelope, read_short_form
from tests.cluster import many
from tests.cluster.forgery import FORGE
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, new_namespace

CAP: Final = 51_200
HALF: Final = CAP // 2


@dataclass(frozen=True)
class Case:
    """A script and the record that it has to leave.

    `dropped`: bytes of stdout and of stderr that are over the cap.
    """

    name: str
    script: str
    stdout: str = ""
    stderr: str = ""
    phase: str = "Succeeded"
    reason: str = "Completed"
    message: str = "the script exited with code 0"
    exit_code: int = 0
    dropped: tuple[int, int] = (0, 0)
    spec: dict[str, Any] = field(default_factory=dict)


def failed(code: int) -> dict[str, Any]:
    """What the record of a script says that exits with a code."""
    return {
        "phase": "Failed",
        "reason": "ScriptFailed",
        "message": f"the script exited with code {code}",
        "exit_code": code,
    }


def kept(total: bytes) -> str:
    """What is kept of a stream over the cap: both ends, and how much is missing between them."""
    dropped = f"\n[agentjobs: {len(total) - CAP} bytes dropped here]\n"
    return (
        total[:HALF].decode(errors="backslashreplace")
        + dropped
        + total[-HALF:].decode(errors="backslashreplace")
    )


LINES: Final = b"".join(b"%099d\n" % number for number in range(50_000))
RANDOM: Final = random.Random(7).randbytes(CAP)
EVERY_BYTE: Final = bytes(range(256)) + "\u2028\ufeff\ufffe\uffff😀é\r\n".encode()
WORST: Final = b'\x01\\"\xff' * (CAP // 4)

SECRET: Final = "s3cret/with+signs=ok"

CASES: Final = (
    Case("silent", "pass"),
    Case("exits-at-once", "import os\nos._exit(7)", **failed(7)),
    Case(
        "exits-with-a-word",
        "import sys\nsys.exit('no input today')",
        stderr="no input today\n",
        **failed(1),
    ),
    Case(
        "raises",
        "print('half')\nraise ValueError('no such report')",
        stdout="half\n",
        stderr=(
            'Traceback (most recent call last):\n  File "/tmp/agentjobs/script.py", line 2, in'
            " <module>\n    raise ValueError('no such report')\nValueError: no such report\n"
        ),
        **failed(1),
    ),
    Case(
        "is-no-python",
        "print 'hello'",
        stderr=(
            "  File \"/tmp/agentjobs/script.py\", line 1\n    print 'hello'\n    ^^^^^^^^^^^^^\n"
            "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?\n"
        ),
        phase="Failed",
        reason="SyntaxError",
        message=(
            "line 1 of the script is not valid Python, so none of it ran: Missing parentheses in"
            " call to 'print'. Did you mean print(...)?"
        ),
        exit_code=1,
    ),
    Case(
        "imports-what-is-not-there",
        "import os, pandas\nprint('begun')\nfrom bs4 import BeautifulSoup",
        phase="Failed",
        reason="MissingImport",
        message=(
            "line 3 imports 'bs4' (package beautifulsoup4), which is not installed, so the script"
            " was not started; add the package with its version to spec.packages, such as"
            " NAME==1.2.3, and have it approved"
        ),
        exit_code=78,
    ),
    Case(
        "kills-itself",
        "import os\nprint('so long', flush=True)\nos.kill(os.getpid(), 9)",
        stdout="so long\n",
        phase="Failed",
        reason="KilledBySignal",
        message="the script was killed by SIGKILL",
        exit_code=137,
    ),
    Case(
        "kills-everybody",
        "import os\nif os.fork() == 0:\n    while True: pass\nos.kill(-1, 9)\nos.kill(1,"
        " 9)\nprint('still here')",
        stdout="still here\n",
    ),
    Case("reads-its-input", "import sys\nprint(repr(sys.stdin.read()))", stdout="''\n"),
    Case(
        "prints-5-megabytes",
        "for n in range(50000): print(f'{n:099d}')",
        stdout=kept(LINES),
        dropped=(len(LINES) - CAP, 0),
    ),
    Case(
        "floods-both-streams",
        "import os\nfor n in range(3000): os.write(1, b'o' * 999 + b'\\n'); os.write(2, b'e' * 499"
        " + b'\\n')",
        stdout=kept((b"o" * 999 + b"\n") * 3000),
        stderr=kept((b"e" * 499 + b"\n") * 3000),
        dropped=(3_000_000 - CAP, 1_500_000 - CAP),
    ),
    Case(
        "prints-2-million-empty-lines",
        "import os\nfor _ in range(2000000): os.write(1, b'\\n')",
        stdout=kept(b"\n" * 2_000_000),
        dropped=(2_000_000 - CAP, 0),
    ),
    Case(
        "prints-200-kilobytes-without-a-newline",
        "import sys\nsys.stdout.write('x' * 200000)",
        stdout=kept(b"x" * 200_000),
        dropped=(200_000 - CAP, 0),
    ),
    Case(
        "fills-the-cap",
        f"import os\nos.write(1, b'a' * {CAP})\nos.write(2, b'b' * {CAP})",
        stdout="a" * CAP,
        stderr="b" * CAP,
    ),
    Case(
        "is-a-byte-over-the-cap",
        f"import os\nos.write(1, b'a' * {CAP + 1})\nos.write(2, b'b' * {CAP + 1})",
        stdout=kept(b"a" * (CAP + 1)),
        stderr=kept(b"b" * (CAP + 1)),
        dropped=(1, 1),
    ),
    Case(
        "prints-every-byte",
        f"import os\nos.write(1, {EVERY_BYTE!r})\nos.write(2, {EVERY_BYTE!r})",
        stdout=EVERY_BYTE.decode(errors="backslashreplace"),
        stderr=EVERY_BYTE.decode(errors="backslashreplace"),
    ),
    Case(
        "prints-invalid-utf8",
        r"import os" + "\n" + r"os.write(1, b'a\xff\xfe\xc3(\xf0\x9f\x98' + b'\n')",
        stdout="a\\xff\\xfe\\xc3(\\xf0\\x9f\\x98\n",
    ),
    Case(
        "prints-noise",
        f"import os, random\nnoise = random.Random(7).randbytes({CAP})\nos.write(1,"
        " noise)\nos.write(2, noise)",
        stdout=RANDOM.decode(errors="backslashreplace"),
        stderr=RANDOM.decode(errors="backslashreplace"),
    ),
    Case(
        "prints-what-json-makes-longest",
        f"import os\nos.write(1, {WORST[:4]!r} * {CAP // 4})\nos.write(2, {WORST[:4]!r} *"
        f" {CAP // 4})",
        stdout=WORST.decode(errors="backslashreplace"),
        stderr=WORST.decode(errors="backslashreplace"),
    ),
    Case(
        "ends-mid-line-on-both-streams",
        "import os\nos.write(2, b'err')\nos.write(1, b'out')",
        stdout="out",
        stderr="err",
    ),
    Case(
        "leaves-a-child-that-holds-stdout",
        "import os, time\nif os.fork() == 0:\n    time.sleep(600)\nprint('parent', flush=True)",
        stdout="parent\n",
    ),
    Case(
        "leaves-a-daemon-that-holds-stdout",
        "import os, signal, time\nif os.fork() == 0:\n    os.setsid()\n   "
        " signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    if os.fork() == 0:\n        while"
        " True: time.sleep(600)\n    os._exit(0)\nprint('parent', flush=True)",
        stdout="parent\n",
    ),
    Case(
        "leaves-a-child-that-goes-on-printing",
        "import os\nif os.fork() == 0:\n    while True: os.write(2, b'')\nos.write(1,"
        " b'parent\\n')",
        stdout="parent\n",
    ),
    Case(
        "leaves-a-hundred-children",
        "import os, time\nfor _ in range(100):\n    if os.fork() == 0:\n        os.setsid()\n      "
        "  time.sleep(600)\nprint('parent', flush=True)",
        stdout="parent\n",
    ),
    Case(
        "closes-its-output",
        "import os\nos.write(1, b'before\\n')\nos.close(1)\nos.close(2)\nos._exit(3)",
        stdout="before\n",
        **failed(3),
    ),
    Case(
        "takes-too-long",
        "import time\nprint('waiting', flush=True)\ntime.sleep(600)",
        stdout="waiting\n",
        phase="TimedOut",
        reason="Timeout",
        message="the script was ended at its time limit of 2 s",
        exit_code=124,
        spec={"timeoutSeconds": 2},
    ),
    Case(
        "ignores-sigterm",
        "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\n"
        "print('waiting', flush=True)\nwhile True: time.sleep(600)",
        stdout="waiting\nno\n",
        phase="TimedOut",
        reason="Timeout",
        message="the script was ended at its time limit of 2 s",
        exit_code=124,
        spec={"timeoutSeconds": 2},
    ),
    Case(
        "prints-its-secrets",
        "import base64, os, sys, urllib.parse\nkey = os.environ['KEY']\nprint(key,"
        " urllib.parse.quote(key, safe=''), key[:9])\nprint(base64.b64encode(('user:' + key +"
        " '\\n').encode()).decode(), file=sys.stderr)\nsys.stderr.flush()\nprint(key, end='')",
        stdout=f"*** *** {SECRET[:9]}\n***",
        stderr="dXNlcjp***wo=\n",
        spec={
            "env": [
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "access", "key": "key"}}}
            ]
        },
    ),
    Case(
        "reaches-for-the-runner",
        "for path in ('fd/1', 'fd/2', 'mem', 'environ'):\n    try:\n        open(f'/proc/1/{path}',"
        " 'rb' if path == 'environ' else 'wb')\n    except OSError as error:\n        print(path,"
        " type(error).__name__)\n    else:\n        print(path, 'opened')",
        stdout=(
            "fd/1 PermissionError\nfd/2 PermissionError\nmem PermissionError\nenviron"
            " PermissionError\n"
        ),
    ),
)


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        yield name


FORGERS: Final = {
    "forges-on-stdout": "sys.stdout.write(envelope)\n",
    "forges-on-stderr": "sys.stderr.write(envelope)\n",
    "forges-on-both": (
        "for _ in range(200): sys.stderr.write(envelope); sys.stdout.write(envelope)\n"
    ),
    "forges-the-termination-message": (
        "print(termination)\nopen('/dev/termination-log', 'w').write(termination)\n"
    ),
    "forges-everything": (
        "sys.stdout.write(envelope)\nopen('/dev/termination-log', 'w').write(termination)\n"
    ),
}


@pytest.fixture(scope="module")
def runs(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> dict[str, Manifest]:
    """The AgentJobRun of every script, by its name."""
    kubectl(
        "create", "secret", "generic", "access", "-n", namespace, f"--from-literal=key={SECRET}"
    )
    scripts = [many.job(case.name, case.script, **case.spec) for case in CASES]
    forgers = [many.job(name, f"{FORGE}{does}sys.exit(3)") for name, does in FORGERS.items()]
    return many.ran(agentjobs, namespace, [*scripts, *forgers])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_record_is_true_of_a_script_that(case: Case, runs: dict[str, Manifest]) -> None:
    record = runs[case.name]["status"]
    assert (record["phase"], record["reason"], record["message"], record["exitCode"]) == (
        case.phase,
        case.reason,
        case.message,
        case.exit_code,
    )
    assert_same(record["stdout"], case.stdout)
    assert_same(record["stderr"], case.stderr)
    assert (record["stdoutDroppedBytes"], record["stderrDroppedBytes"]) == case.dropped
    assert record["logsComplete"] is True
    assert record["outputBytes"] == len(record["stdout"].encode()) + len(record["stderr"].encode())


def assert_same(found: str, wanted: str) -> None:
    """Says where two long texts part."""
    if found != wanted:
        at = next(
            (n for n, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b),
            min(len(found), len(wanted)),
        )
        pytest.fail(
            f"{len(found)} characters, not {len(wanted)}; from {at} on {found[at : at + 200]!r},"
            f" not {wanted[at : at + 200]!r}"
        )


@pytest.mark.parametrize("name", FORGERS)
def test_a_script_that_forges_its_record_is_recorded_as_it_was(
    name: str, runs: dict[str, Manifest]
) -> None:
    record = runs[name]["status"]
    assert (record["phase"], record["reason"], record["exitCode"], record["logsComplete"]) == (
        "Failed",
        "ScriptFailed",
        3,
        True,
    )
    assert record["startedAt"] > "2026-01-02"
    assert "forged" not in (record["stdout"], record["stderr"])


@pytest.mark.parametrize(
    ("name", "stream"),
    [("forges-on-stdout", "stdout"), ("forges-on-stderr", "stderr"), ("forges-on-both", "stdout")],
)
def test_a_forged_envelope_is_output_like_any_other_however_good_it_is(
    name: str, stream: str, runs: dict[str, Manifest]
) -> None:
    forged = read_envelope(runs[name]["status"][stream].encode())
    assert (forged.run_id, forged.digest, forged.reason) == (
        f"{name}-run",
        runs[name]["status"]["digest"],
        "Completed",
    )


def test_a_forged_termination_message_is_one_that_the_operator_would_read(
    runs: dict[str, Manifest],
) -> None:
    forged = read_short_form(runs["forges-the-termination-message"]["status"]["stdout"].strip())
    assert forged is not None
    assert forged.stdout_tail == "forged"


def test_a_record_says_when_where_and_in_what_it_ran(
    runs: dict[str, Manifest], agentjobs: Installed, namespace: str
) -> None:
    for name, run in runs.items():
        record = run["status"]
        started, finished = (
            datetime.fromisoformat(record[key]) for key in ("startedAt", "finishedAt")
        )
        created = datetime.fromisoformat(run["metadata"]["creationTimestamp"])
        assert (
            created.timestamp() - 1
            <= started.timestamp()
            <= finished.timestamp()
            <= created.timestamp() + 120
        ), name
        assert re.fullmatch(rf"{name}-run-[a-z0-9]{{5}}", record["podName"]), name
        assert re.search(r"agentjobs-runner|sha256:[0-9a-f]{64}", record["runnerImage"]), name
    digests = {run["status"]["digest"] for run in runs.values()}
    assert digests == {
        job["status"]["card"]["digest"]
        for job in agentjobs.kubectl.json("get", "saj", "-n", namespace)["items"]
    }


def test_every_run_is_counted_once_and_as_what_it_was(
    runs: dict[str, Manifest], agentjobs: Installed, namespace: str
) -> None:
    for job in agentjobs.kubectl.json("get", "saj", "-n", namespace)["items"]:
        status, phase = job["status"], runs[job["metadata"]["name"]]["status"]["phase"]
        good = phase == "Succeeded"
        assert (status["runCount"], status["successCount"], status["failureCount"]) == (
            1,
            int(good),
            int(not good),
        )
        assert (status["phase"], status["lastRun"]["phase"]) == (
            "Finished" if good else "Failed",
            phase,
        )
