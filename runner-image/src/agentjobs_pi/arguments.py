"""The command line of `pi` in a run: pi's own, cut down to what makes sense when nobody is there.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentjobs_pi.call import SAFE_TOOLS, Question

SHORT = {
    "-t": "--tools",
    "-xt": "--exclude-tools",
    "-nt": "--no-tools",
    "-p": "--print",
    "-v": "--version",
    "-h": "--help",
}
PASSED_ON = frozenset("--thinking --system-prompt --append-system-prompt --exclude-tools".split())
WITH_VALUE = PASSED_ON | {"--model", "--tools", "--mode"}
FLAGS = frozenset({"--print", "--no-tools", "--no-session"})
INFORMATION = frozenset({"--version", "--help", "--list-models"})
_LOOKS_LIKE_AN_OPTION = re.compile("--?[A-Za-z][A-Za-z-]*(=.*)?")


class UsageError(Exception):
    """The message is a sentence for whoever wrote the script."""


@dataclass(frozen=True)
class Request:
    """What a script wants of `pi`. `prompt` is None when it is to come from stdin."""

    prompt: str | None
    question: Question
    events: bool = False
    """Print pi's events instead of the answer: --mode json."""
    information: bool = False
    """Not a question to a model: --version and the like."""


def parse(arguments: Sequence[str]) -> Request:
    """Options may stand before and behind the prompt.

    An argument that is no option is the prompt, whatever it begins with.

    Right behind -p a prompt may even look like an option, as long as it is none of pi's in a run.
    Raises UsageError.
    """
    values: dict[str, list[str]] = {}
    prompts: list[str] = []
    rest = list(arguments)
    behind_print = False
    while rest:
        word = rest.pop(0)
        option = SHORT.get(word, word)
        if option == "--":
            prompts += rest
            break
        if option in INFORMATION:
            return Request(None, Question(""), information=True)
        if option in WITH_VALUE:
            if not rest:
                raise UsageError(f"{word} needs a value")
            values.setdefault(option, []).append(rest.pop(0))
        elif option in FLAGS:
            values.setdefault(option, [])
        elif _LOOKS_LIKE_AN_OPTION.fullmatch(word) and not behind_print:
            known = ", ".join(sorted(WITH_VALUE | FLAGS))
            raise UsageError(
                f"{word} is not available in a run; available options are: {known}. Put a prompt"
                " after -- or directly after -p"
            )
        else:
            prompts.append(word)
        behind_print = option == "--print"
    return _request(prompts, values)


def _request(prompts: list[str], values: dict[str, list[str]]) -> Request:
    if len(prompts) > 1:
        raise UsageError(
            f"a call takes one prompt, and here are {len(prompts)}; @file is text here: read the"
            " file in the script"
        )
    mode = values.get("--mode", ["text"])[-1]
    if mode not in ("text", "json"):
        raise UsageError(f"--mode {mode} is not available in a run; text and json are")
    options = tuple(
        word
        for name in sorted(PASSED_ON & values.keys())
        for value in values[name]
        for word in (name, value)
    )
    question = Question(
        prompt=prompts[0] if prompts else "",
        model=values.get("--model", [""])[-1],
        tools=_tools(values),
        options=options,
        remember="--no-session" not in values,
    )
    return Request(prompts[0] if prompts else None, question, events=mode == "json")


def _tools(values: dict[str, list[str]]) -> tuple[str, ...]:
    if "--no-tools" in values:
        return ()
    if "--tools" not in values:
        return SAFE_TOOLS
    return tuple(name.strip() for name in values["--tools"][-1].split(",") if name.strip())
