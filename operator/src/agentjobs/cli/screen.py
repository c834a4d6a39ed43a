"""The only place where the command line prints and asks.

Everything that people read goes through `text.visible`.

`say` and `note` take sentences, with whatever somebody else wrote in them. `put` takes lines that
`text` has made, colours included. `exact` is for programs: bytes as they are, but for a terminal,
which gets an equal form without what it would hide.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import IO

import typer

from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.text import indented, painted
from agentjobs.present.text import Line, visible


def on_terminal() -> bool:
    """Colours and questions are for terminals only."""
    return sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal; 0 where there is none, so that nothing is folded."""
    return shutil.get_terminal_size().columns if on_terminal() else 0


def ready() -> None:
    """What the terminal's encoding lacks is escaped, and does not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """A sentence of the answer, at once: a pipe must not hold it back."""
    put(visible(text))


def put(line: Line) -> None:
    """A line of the answer that is visible already."""
    print(line, flush=True)


def note(text: str) -> None:
    """A sentence beside the answer, which pipes do not see."""
    print(visible(text), file=sys.stderr, flush=True)


def failed(problem: CliError) -> None:
    """What is wrong, and what to do."""
    print(error_text(problem, colour=sys.stderr.isatty()), file=sys.stderr, flush=True)


def error_text(problem: CliError, *, colour: bool) -> Line:
    """Each further line is indented: none begins as an answer or an error of ours does. Pure."""
    sentences = [
        painted(visible("error:"), "bad" if colour else "")
        + " "
        + "\n".join(indented(problem.message))
    ]
    return Line("\n  ".join(sentences + ([*indented(problem.remedy)] if problem.remedy else [])))


def output(text: bytes) -> None:
    """Part of the output of a run, whole lines: as it is, but for a terminal."""
    if on_terminal():
        print(visible(text.decode(errors="backslashreplace")), end="", flush=True)
    else:
        raw(text)


def raw(data: bytes) -> None:
    """Bytes for another program."""
    binary: IO[bytes] = sys.stdout.buffer
    sys.stdout.flush()
    binary.write(data)
    binary.flush()


def exact(form: Callable[[bool], str]) -> None:
    """A document for programs.

    `form` gives it with all characters, or with only those of ASCII and escapes for the others.
    """
    text = form(True)
    hides = on_terminal() and visible(text) != text
    try:
        data = (form(False) if hides else text).encode()
    except UnicodeEncodeError:  # half of a pair, which UTF-8 cannot say and an escape can
        data = form(False).encode()
    raw(data + b"\n")


def can_ask() -> bool:
    """Whether somebody could type an answer."""
    return sys.stdin.isatty()


def confirmed(question: str, *, yes: bool) -> bool:
    """The answer to a question. Raises CliError where nobody could answer it."""
    if yes:
        return True
    if not can_ask():
        raise CliError(
            f"this question needs a terminal: {question}",
            "add --yes, or run it on a terminal",
            Exit.USAGE,
        )
    return typer.confirm(visible(question))


def asked(question: str, wrong: Callable[[str], str], default: str | None = None) -> str:
    """A text that is typed, asked again for as long as `wrong` says why it cannot be taken.

    Raises CliError where nobody could type it.
    """
    if not can_ask():
        raise CliError(
            f"this question needs a terminal: {question}",
            "give the answer as an option: --help lists them",
            Exit.USAGE,
        )
    while True:
        answer = str(typer.prompt(visible(question), default=default, show_default=bool(default)))
        reason = wrong(answer)
        if not reason:
            return answer
        note(f"{reason}; try again")
