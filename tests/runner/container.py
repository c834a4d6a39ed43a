"""A run's container without a container runtime: the real runner as PID 1 of a PID namespace.

It has the image's uid.

Only inside such a namespace is `kill(-1)` harmless. The runner is copied and compiled as the image
does it, and finds its files below a folder instead of `/`. Needs root and util-linux.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from agentjobs.core.runner.envelope import Envelope, ShortForm, read_envelope, read_short_form
from tests.support.root import ROOT

SOURCES = ROOT / "runner-image" / "src"
UID = 65532
RUN_ID = "report-29000000"
AS_AGENT = (
    str(shutil.which("setpriv")),
    f"--reuid={UID}",
    f"--regid={UID}",
    "--clear-groups",
    "--no-new-privs",
    "--pdeathsig=KILL",
)
AS_PID_ONE = (str(shutil.which("unshare")), "--pid", "--fork", "--mount-proc", "--kill-child")
PATIENCE_SECONDS = 20.0
NOTES = "import json, os; path = os.environ['AGENTJOBS_ROOT'] + '/tmp/agentjobs/notes.jsonl'\n"
"""The beginning of a script that writes notes, as calls of models do."""


def wait_until(
    what: str, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


@cache
def interpreter() -> str:
    """A Python that the image's uid may start; one below root's home is none.

    A shell tries: setpriv itself still has root's rights.
    """
    for path in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        if (
            subprocess.run(
                [*AS_AGENT, "sh", "-c", 'exec "$0" -c ""', path], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return path
    raise AssertionError(f"uid {UID} can start no python3 (root and setpriv are needed too)")


Program = str | Mapping[str, object]
"""The text of a script, or an agent."""


def revision(program: Program) -> bytes:
    """The canonical bytes as the operator freezes them."""
    what = {"script": {"inline": program}} if isinstance(program, str) else {"agent": program}
    content = {"name": "report", "recipe": 1, "spec": {"description": "A report.", **what}}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


class Image:
    """The installed runner."""

    def __init__(self, folder: Path) -> None:
        self.python = interpreter()
        self.library = folder / "lib"
        self.bin = folder / "bin"
        shutil.copytree(SOURCES, self.library, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(
            str(self.library),
            quiet=1,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        self.bin.mkdir()
        (self.bin / "python3").symlink_to(self.python)
        pi = self.bin / "pi"
        pi.write_text(f'#!/bin/sh\nexec {self.python} -I -S {self.library}/agentjobs_pi/pi "$@"\n')
        pi.chmod(0o755)

    def entry_point(self) -> list[str]:
        return [self.python, "-I", "-S", str(self.library / "agentjobs_runner" / "__main__.py")]


class Running:
    """A started container.

    Its output is read all the time, as a runtime does, unless `reading` is false.
    """

    def __init__(
        self, command: list[str], environment: Mapping[str, str], root: Path, *, reading: bool
    ) -> None:
        self.root = root
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._begun = time.monotonic()
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=root / "workspace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._threads: list[threading.Thread] = []
        if reading:
            self.read()

    def read(self) -> None:
        for pipe, buffer in (
            (self._process.stdout, self.stdout),
            (self._process.stderr, self.stderr),
        ):
            assert pipe is not None
            self._threads.append(
                threading.Thread(target=_read_into, args=(pipe, buffer), daemon=True)
            )
            self._threads[-1].start()

    def outputs(self) -> tuple[int, int]:
        """The descriptors of its output, for a reader of the test's own."""
        assert self._process.stdout
        assert self._process.stderr
        return self._process.stdout.fileno(), self._process.stderr.fileno()

    def wait_for_exit(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Looks often: what a runtime does when a container ends, it does at once."""
        wait_until("the container has ended", lambda: not self.alive, seconds)

    def close_output(self) -> None:
        """Nobody reads the log any more."""
        assert self._process.stdout
        assert self._process.stderr
        self._process.stdout.close()
        self._process.stderr.close()

    @property
    def pid(self) -> int:
        """The runner's PID outside its namespace."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        wait_until("the namespace's first process", children.read_text)
        return int(children.read_text().split()[0])

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def expect(self, text: bytes) -> None:
        """Waits until text stands in stdout."""
        wait_until(f"{text!r} in stdout", lambda: text in self.stdout)

    def expect_envelope(self) -> None:
        wait_until(
            "the envelope's end line",
            lambda: b"\n@agentjobs:end " in self.stdout and self.stdout.endswith(b"\n"),
        )

    def termination(self) -> str:
        return (self.root / "dev" / "termination-log").read_text()

    def wait(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        code = self._process.wait(seconds)
        took = time.monotonic() - self._begun
        self._close()
        return Ended(code, bytes(self.stdout), bytes(self.stderr), self.termination(), took)

    def kill(self) -> None:
        """Also while the namespace is being made, or ends by itself.

        unshare takes its child along, and that the whole namespace.
        """
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        self._close()

    def _close(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self.close_output()


class Ended:
    """What a container leaves behind, as the operator finds it."""

    def __init__(
        self, exit_code: int, stdout: bytes, stderr: bytes, termination: str, seconds: float
    ) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.termination = termination
        self.seconds = seconds

    @property
    def envelope(self) -> Envelope:
        envelope = read_envelope(self.stdout, self.short_form.sha256)
        assert envelope == read_envelope(self.stdout), "the end line is the last of its stream"
        assert envelope.exit_code == self.exit_code
        return envelope

    @property
    def short_form(self) -> ShortForm:
        short = read_short_form(self.termination)
        assert short is not None, self.termination
        return short

    @property
    def live_stdout(self) -> bytes:
        """stdout without the envelope and the filler behind it."""
        lines = without_filler(self.stdout).splitlines(keepends=True)
        return b"".join(lines[: -self.short_form.lines - 1])


def without_filler(stream: bytes) -> bytes:
    return b"".join(
        line
        for line in stream.splitlines(keepends=True)
        if not line.startswith(b"@agentjobs:filler ")
    )


def kept(total: str) -> str:
    """What is kept of a stream of ASCII."""
    return (
        total
        if len(total) <= 51_200
        else (
            f"{total[:25600]}\n[agentjobs: {len(total) - 51200} bytes dropped"
            f" here]\n{total[-25600:]}"
        )
    )


class Host:
    """Starts containers below one folder, and ends what a test leaves running."""

    def __init__(self, image: Image, folder: Path) -> None:
        self.image = image
        self._folder = folder
        self._started: list[Running] = []

    def folder(self, script: Program) -> Path:
        root = self._folder / f"container-{len(list(self._folder.iterdir()))}"
        for name in ("etc/agentjobs/revision", "dev", "tmp", "workspace", "session"):
            (root / name).mkdir(parents=True)
        for name in ("tmp", "workspace", "session"):
            (root / name).chmod(0o777)
        (root / "etc/agentjobs/revision/revision.json").write_bytes(revision(script))
        (root / "dev/termination-log").touch()
        (root / "dev/termination-log").chmod(0o666)
        return root

    def environment(
        self, script: Program, *, limit: int | str = 15, linger: int = 1, **more: str
    ) -> dict[str, str]:
        return {
            "PATH": f"{self.image.bin}:/usr/bin:/bin",
            "JOB_RUN_ID": RUN_ID,
            "AGENTJOBS_DIGEST": hashlib.sha256(revision(script)).hexdigest(),
            "AGENTJOBS_TIMEOUT_SECONDS": str(limit),
            "AGENTJOBS_LINGER_SECONDS": str(linger),
            **more,
        }

    def start(
        self,
        script: Program,
        root: Path | None = None,
        *,
        prefix: Sequence[str] = (),
        reading: bool = True,
        **environment: str,
    ) -> Running:
        """prefix: a command that starts the runner, in the namespace and with the image's uid."""
        root = root or self.folder(script)
        command = [*AS_PID_ONE, *AS_AGENT, *prefix, *self.image.entry_point(), str(root)]
        running = Running(
            command, {**self.environment(script), **environment}, root, reading=reading
        )
        self._started.append(running)
        return running

    def run(
        self,
        script: Program,
        root: Path | None = None,
        *,
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> Ended:
        return self.start(script, root, prefix=prefix, reading=True, **environment).wait()

    def end(self) -> None:
        for running in self._started:
            running.kill()


def _read_into(pipe: IO[bytes], buffer: bytearray) -> None:
    while chunk := os.read(pipe.fileno(), 65536):
        buffer += chunk
