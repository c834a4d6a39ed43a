"""One call of the real pi, as it has to be called when nobody is there."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from agentjobs_pi import notes, session
from agentjobs_pi.models import Models
from agentjobs_pi.places import AGENT_DIRECTORY, GUARD, NODE, PI, WORKSPACE
from agentjobs_pi.verdict import Call, Event, Verdict

# What this machine, the workspace or an earlier run may have left lying about has no say in a run:
# only what was approved.
UNATTENDED = [
    *"--mode json --offline --no-approve --no-extensions --no-skills".split(),
    *"--no-prompt-templates --no-themes --no-context-files --no-mcp".split(),
]
SAFE_TOOLS = ("read", "write", "edit", "ls")
"""Those of a script's call that names none: nothing that runs commands."""
MAX_TURNS = 50
LAST_WORDS_BYTES = 2000
PR_SET_PDEATHSIG = 1
# The operator refuses them in a job: they come from the image, or a script hands on its own.
STEERING = ("NODE_", "JITI_", "PI_")
HARMLESS = frozenset({"NODE_ENV", "NODE_EXTRA_CA_CERTS"})


@dataclass(frozen=True)
class Question:
    """What a call asks, and how."""

    prompt: str
    model: str = ""
    """provider/model; empty: the job's."""
    tools: tuple[str, ...] = SAFE_TOOLS
    options: tuple[str, ...] = ()
    """Passed on to pi as they are."""
    max_turns: int = MAX_TURNS
    remember: bool = True
    """False: without the session, though the job has one."""


@dataclass(frozen=True)
class Answer:
    """The last words of the model, and whether they are an answer."""

    text: str
    verdict: Verdict


@dataclass
class _LastWords:
    """The end of what pi writes to stderr."""

    text: str = ""
    thread: threading.Thread = field(default_factory=threading.Thread)

    def follow(self, pipe: IO[bytes]) -> None:
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        kept = b""
        while chunk := os.read(pipe.fileno(), 65536):
            kept = (kept + chunk)[-LAST_WORDS_BYTES:]
        self.text = kept.decode(errors="replace")


def environment() -> dict[str, str]:
    """Of the real pi.

    Its calls to its maker are off, whatever the image or the script says, and nothing steers what
    Node loads.

    The loader of extensions would keep a compiled guard below TMPDIR, which may be a folder that a
    model can write, and believe it later.
    """
    AGENT_DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = {
        name: value
        for name, value in os.environ.items()
        if name in HARMLESS or not name.startswith(STEERING)
    }
    fixed = {
        "PI_CODING_AGENT_DIR": str(AGENT_DIRECTORY),
        "PI_OFFLINE": "1",
        "PI_TELEMETRY": "0",
        "PI_SKIP_VERSION_CHECK": "1",
    }
    return {"HOME": "/home/agent", **given, **fixed, "JITI_FS_CACHE": "false"}


def ask(question: Question, listen: Callable[[Event], None] = lambda _: None) -> Answer:
    """Calls pi and waits for its end.

    `listen` hears every event. Raises CannotCallError when there is no model to call.
    """
    models = Models.from_environment()
    model = question.model or models.chosen
    call = Call(question.max_turns, priced=models.check(model), hide=models.without_keys)
    variables = environment() | {
        "AGENTJOBS_GUARD_WORKSPACE": str(WORKSPACE),
        "AGENTJOBS_GUARD_MAX_TURNS": str(question.max_turns),
    }
    models.write(AGENT_DIRECTORY / "models.json")
    listeners = (_counting(call), listen)
    with session.exclusive() if question.remember else nullcontext() as file:
        command = _command(question, model, file)
        code, last_words = _converse(command, variables, question.prompt, listeners)
    return Answer(call.text, call.verdict(code, last_words))


def _counting(call: Call) -> Callable[[Event], None]:
    """Writes down at once what each request cost: a call killed later has cost it all the same."""

    def count(event: Event) -> None:
        if used := call.feed(event):
            notes.used(used)

    return count


def _command(question: Question, model: str, file: Path | None) -> list[str]:
    remembers = ["--session", str(file)] if file else ["--no-session"]
    tools = ["--tools", ",".join(question.tools)] if question.tools else ["--no-tools"]
    program = [str(NODE), str(PI), *UNATTENDED, "-e", str(GUARD)]
    return [*program, *remembers, "--model", model, *tools, *question.options, "-p"]


def _converse(
    command: list[str],
    variables: dict[str, str],
    prompt: str,
    listeners: Iterable[Callable[[Event], None]],
) -> tuple[int, str]:
    """(exit code, last words on stderr)."""
    last_words = _LastWords()
    with subprocess.Popen(
        command,
        cwd=WORKSPACE,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread of ours is running yet
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018  as asked for above
        last_words.follow(process.stderr)
        threading.Thread(target=_tell, args=(process.stdin, prompt.encode()), daemon=True).start()
        for line in process.stdout:
            _hear(line, listeners)
        code = process.wait()
    last_words.thread.join()
    return code, last_words.text


def _die_with_parent() -> None:
    """A script that loses patience kills its `pi`, which is us: the real one must not go on."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _tell(pipe: IO[bytes], prompt: bytes) -> None:
    try:
        with pipe:
            pipe.write(prompt)
    except BrokenPipeError:
        pass  # pi ended before it had read its prompt: its exit code says so


def _hear(line: bytes, listeners: Iterable[Callable[[Event], None]]) -> None:
    try:
        event = json.loads(line)
    except ValueError:
        return
    if isinstance(event, dict):
        for listener in listeners:
            listener(event)
