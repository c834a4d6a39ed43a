"""Agent files, read and written: front matter in YAML, then the instructions in Markdown.

Pure: text in, manifest out.

    ---
    description: Summarises the mail of the day.
    schedule: 0 18 * * 1-5
    tools: [read, write]
    ---
    Read the mail in /workspace/inbox and write /workspace/summary.md.

The keys are those of a script's header, see `header`, and the agent's own: tools, model,
starting-message, max-turns. The instructions are all that follows, byte for byte:
`agent.instructions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from agentjobs.cli.files.documents import from_yaml, line_of, to_yaml, words_of
from agentjobs.cli.files.header import HeaderError, from_spec, kebab, to_spec
from agentjobs.cli.files.scripts import Header, ScriptError, check_size, job
from agentjobs.cli.kube import Json

FENCE: Final = "---"
OWN: Final = ("startingMessage", "tools", "model", "maxTurns")
"""Fields of the agent that stand beside the others in the front matter."""


def manifest(stem: str, text: str) -> tuple[Json, Header] | None:
    """The job of an agent file, and its front matter; None for a text that has none.

    Raises ScriptError.
    """
    parts = split(text)
    if parts is None:
        return None
    front, instructions = parts
    header = _header(front)
    try:
        spec = dict(to_spec(header.fields))
    except HeaderError as error:
        raise ScriptError(
            header.lines.get(error.key, 1), f"{error.key}: {error}", "correct that line"
        ) from None
    agent = {field: spec.pop(field) for field in OWN if field in spec}
    return job(
        str(header.fields.get("name", stem.replace("_", "-"))),
        {**spec, "agent": {"instructions": instructions, **agent}},
    ), header


def split(text: str) -> tuple[list[str], str] | None:
    """The lines of the front matter and what follows; None when the first line does not open one.

    Raises ScriptError.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return lines[1:number], "\n".join(lines[number + 1 :])
    raise ScriptError(1, "the front matter that begins here has no end", 'end it with a line "---"')


def _header(front: list[str]) -> Header:
    text = "\n".join(front)
    check_size(front, 1)
    try:
        found = from_yaml(text)
        places = dict(_places(yaml.compose(text)))
    except yaml.YAMLError as error:
        remedy = getattr(error, "remedy", "quote texts with a colon in them")
        raise ScriptError(
            (line_of(error, text) or 0) + 1, f"this is not YAML: {words_of(error)}", remedy
        ) from None
    fields: Any = found[0] if len(found) == 1 else None
    if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        raise ScriptError(
            1,
            "the front matter is not a set of keys",
            "write one `key: value` on each line, at least a description",
        )
    return Header(fields, {"": 1, **places})


def _places(node: yaml.Node | None, path: str = "") -> Iterator[tuple[str, int]]:
    """Where each key and each entry begins, by its path in kebab-case: `triggers.0.event`.

    The front matter begins on line 2.
    """
    if isinstance(node, yaml.MappingNode):
        found = [(f"{path}{kebab(str(key.value))}", key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        found = [(f"{path}{number}", entry, entry) for number, entry in enumerate(node.value)]
    else:
        found = []
    for name, begins, value in found:
        yield name, begins.start_mark.line + 2
        yield from _places(value, f"{name}.")


def written(name: str, spec: Json, instructions: str) -> str:
    """An agent file with this spec in front of its instructions."""
    agent = {field: value for field, value in spec.get("agent", {}).items() if field in OWN}
    return f"{FENCE}\n{to_yaml(from_spec(name, {**spec, **agent}))}{FENCE}\n{instructions}"
