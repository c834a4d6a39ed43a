"""Runs inside a container of the runner's image: the runner against plain `python3 script.py`.

Standard library only.

Each sample is a process that is PID 1 of a PID namespace of its own, with the image's uid, as in a
pod: the runner refuses anything else. The two take turns. Its one argument is JSON; its result is
JSON, the last line of its output.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

CLONE_NEWPID = 0x20000000
UID = 65532
PYTHON = ["/opt/agentjobs/python3", "-I", "-S"]
ENTRY_POINT = [*PYTHON, "/opt/agentjobs/lib/agentjobs_runner/__main__.py"]
READY_SECONDS = 20.0
READY = "import pathlib, time\npathlib.Path('ready').touch()\ntime.sleep(60)\n"
# What the runner checks before it starts the script: of the standard library and of a package.
IMPORTS = "import datetime, json, os, sys\nimport idna\n"
SECRETS = {
    "BENCH_TOKEN": "swordfish-0123456789abcdef",
    "BENCH_PASSWORD": "correct horse battery staple",
}
SCRIPTS = {
    "stdout": IMPORTS + "print('hello')\n",
    "stderr": IMPORTS + "print('hello')\nprint('a warning', file=sys.stderr)\n",
    "quiet": READY,
    "loud": (
        "import sys\n"
        "line = 'x' * 1023 + '\\n'\n"
        "for _ in range(10 * 1024):\n"
        "    sys.stdout.write(line)\n"
        f"sys.stdout.flush()\n{READY}"
    ),
}


class Place:
    """What a pod gives the runner, in a folder, and the two commands that run the same script."""

    def __init__(self, name: str) -> None:
        self.root = pathlib.Path("/tmp/bench") / name  # noqa: S108  a volume of the pod's own
        self.workspace = self.root / "workspace"
        content = {
            "name": "bench",
            "recipe": 1,
            "spec": {"description": "x", "script": {"inline": SCRIPTS[name]}},
        }
        revision = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        for folder in ("etc/agentjobs/revision", "dev", "tmp", "workspace"):
            (self.root / folder).mkdir(parents=True)
        for folder in ("tmp", "workspace"):
            (self.root / folder).chmod(0o777)
        (self.root / "etc/agentjobs/revision/revision.json").write_bytes(revision)
        (self.root / "dev/termination-log").touch()
        (self.root / "dev/termination-log").chmod(0o666)
        self.script = self.root / "script.py"
        self.script.write_text(SCRIPTS[name])
        plain = {"PATH": os.environ["PATH"], "HOME": "/home/agent", **SECRETS}
        limits = {
            "JOB_RUN_ID": "bench",
            "AGENTJOBS_DIGEST": hashlib.sha256(revision).hexdigest(),
            "AGENTJOBS_TIMEOUT_SECONDS": "60",
        }
        limits["AGENTJOBS_SECRET_VARIABLES"] = ",".join(SECRETS)
        self.commands = {
            "plain": (["python3", str(self.script)], plain),
            "runner": ([*ENTRY_POINT, str(self.root)], plain | limits),
            "interpreter": ([*PYTHON, "-c", ""], plain),
        }


def next_child_is_pid_one() -> None:
    """Of this process, which can do so only once."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def as_pid_one(place: Place, command: str, measure: str) -> dict[str, float]:
    """What `measure` finds of the command, started by a helper process as PID 1."""
    reader, writer = os.pipe()
    helper = os.fork()
    if helper == 0:
        try:
            next_child_is_pid_one()
            found = MEASURES[measure](place, *place.commands[command])
            os.write(writer, json.dumps(found).encode())
        except BaseException as error:  # noqa: BLE001  a fork has nobody else to tell
            print(f"{command}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        result = answer.read()
    os.waitpid(helper, 0)
    if not result:
        raise SystemExit(f"{command} could not be measured; the reason is above")
    measured: dict[str, float] = json.loads(result)
    return measured


def seconds(place: Place, command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """From before the process is made until it is gone and all its output is read."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=place.workspace,
        user=UID,
        group=UID,
        extra_groups=(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, _ = process.communicate()
    took = time.perf_counter() - began
    if process.returncode or (command[-1] and not output.startswith(b"hello\n")):
        raise SystemExit(f"{command} ended with {process.returncode}: {output!r}")
    return {"seconds": took}


def memory(place: Place, command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Bytes of the first process while the script runs.

    `rss` is resident, `private` shared with no other process, `peak` the most ever.
    """
    ready = place.workspace / "ready"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=place.workspace,
        user=UID,
        group=UID,
        extra_groups=(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command} did not get its script to run")
            time.sleep(0.005)
        time.sleep(0.1)
        kilobytes = {}
        for file in ("status", "smaps_rollup"):
            for line in pathlib.Path(f"/proc/{process.pid}/{file}").read_text().splitlines():
                words = line.split()
                if words[-1] == "kB":
                    kilobytes[words[0]] = int(words[1]) * 1024.0
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    private = kilobytes["Private_Clean:"] + kilobytes["Private_Dirty:"]
    return {"rss": kilobytes["VmRSS:"], "peak": kilobytes["VmHWM:"], "private": private}


MEASURES = {"seconds": seconds, "memory": memory}


def timed(rounds: int, pairs: int) -> dict[str, dict[str, list[list[float]]]]:
    """By script and by command: rounds of seconds.

    The first of each are thrown away: they warm the page cache.
    """
    found: dict[str, dict[str, list[list[float]]]] = {}
    for script in ("stdout", "stderr"):
        place = Place(script)
        for command in place.commands:
            as_pid_one(place, command, "seconds")
        found[script] = {command: [[] for _ in range(rounds)] for command in place.commands}
        for number in range(rounds):
            for _ in range(pairs):
                for command in place.commands:
                    took = as_pid_one(place, command, "seconds")["seconds"]
                    found[script][command][number].append(took)
    return found


def weighed(rounds: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """By script and by command: one sample a round."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for script in ("quiet", "loud"):
        place = Place(script)
        found[script] = {
            command: [as_pid_one(place, command, "memory") for _ in range(rounds)]
            for command in ("plain", "runner")
        }
    return found


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    measured = {
        "seconds": timed(options["rounds"], options["pairs"]),
        "memory": weighed(options["rounds"]),
    }
    print(json.dumps(measured), flush=True)
