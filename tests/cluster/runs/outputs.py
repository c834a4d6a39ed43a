"""Scripts that print, and the record that each has to leave."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

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
