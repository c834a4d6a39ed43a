"""`pi` as scripts of a run find it.

For example, `subprocess.run(["pi", "-p", "..."], capture_output=True, text=True, timeout=600)`.

Prints the model's answer and exits with 0 only if there is one; else one sentence on stderr and 1,
or 2 for a wrong command line. The script's own stdin is never handed on: it may be the run's event,
or a pipe that nobody closes.
"""

from __future__ import annotations

import json
import os
import select
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

from agentjobs_pi import notes
from agentjobs_pi.arguments import Request, UsageError, parse
from agentjobs_pi.call import ask, environment
from agentjobs_pi.models import CannotCallError
from agentjobs_pi.places import NODE, PI
from agentjobs_pi.verdict import Event, Verdict

EVENT_FILE_VARIABLE = "AGENTJOBS_EVENT_FILE"
STDIN_SECONDS = 10.0
"""A script that pipes its prompt has it at hand.

A pipe that is still open then was never meant for us."""
MAX_PROMPT_BYTES = 8 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """The exit code."""
    try:
        request = parse(arguments)
        if request.information:
            command, variables = [str(NODE), str(PI), *arguments], environment()
            return subprocess.run(
                command, env=variables, stdin=subprocess.DEVNULL, check=False
            ).returncode
        prompt = _prompt(request)
    except UsageError as error:
        return _failed(Verdict("PiFailed", str(error)), str(error), 2)
    try:
        return _answer(request, prompt)
    except CannotCallError as error:
        return _failed(error.verdict, error.verdict.message, 1)
    except OSError as error:
        told = f"the session or pi itself cannot be used: {error}"
        return _failed(Verdict("PiFailed", told), told, 1)


def _answer(request: Request, prompt: str) -> int:
    question = replace(request.question, prompt=prompt)
    answer = ask(question, _print_event) if request.events else ask(question)
    if not request.events and answer.text:
        print(answer.text)
    if answer.verdict.ok:
        return 0
    return _failed(answer.verdict, f"{answer.verdict.reason}: {answer.verdict.message}", 1)


def _failed(verdict: Verdict, sentence: str, code: int) -> int:
    """Says so to the script, which may not listen, and to the record."""
    with suppress(OSError):
        notes.failed(verdict)
    print(f"pi: {sentence}", file=sys.stderr)
    return code


def _print_event(event: Event) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


def _prompt(request: Request) -> str:
    """Raises UsageError where there is none."""
    prompt = request.prompt if request.prompt is not None else _piped()
    if not prompt.strip():
        raise UsageError("the prompt is empty")
    return prompt


def _piped() -> str:
    """The prompt from stdin.

    Raises UsageError for an input that was not given to this call: the run's event, or an open
    pipe.
    """
    if _is_the_runs_own():
        raise UsageError(
            'there is no prompt: write pi -p "..."; the run\'s own stdin is not read as a prompt'
        )
    data = bytearray()
    deadline = time.monotonic() + STDIN_SECONDS
    while len(data) <= MAX_PROMPT_BYTES:
        if not select.select([0], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise UsageError(
                'there is no prompt: write pi -p "..."; stdin was still open after'
                f" {STDIN_SECONDS:.0f} s"
            )
        chunk = os.read(0, 65536)
        if not chunk:
            return data.decode(errors="replace")
        data += chunk
    raise UsageError(f"the prompt has more than {MAX_PROMPT_BYTES} bytes")


def _is_the_runs_own() -> bool:
    """Without an event the empty input is a device; an event is a file whose name the run knows."""
    try:
        given = os.fstat(0)
    except OSError:
        return True
    if stat.S_ISCHR(given.st_mode):
        return True
    try:
        return os.path.samestat(given, os.stat(os.environ[EVENT_FILE_VARIABLE]))
    except (KeyError, OSError):
        return False
