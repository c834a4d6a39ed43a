"""Scripts with a header, read and written. Pure: text in, manifest out.

The header is an inline block as PEP 723 has it, so the script runs as it is, with `uv run` for
example:

    # /// script
    # dependencies = ["requests==2.32.3"]
    # [tool.agentjobs]
    # description = "Says hello."
    # schedule = "0 8 * * 1"
    # ///

or, for what is that simple, comments at the top: `# description: Says hello.` The script itself is
the whole file, header included: `script.inline`. `header` says how keys become fields.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import yaml

from agentjobs.cli.files.documents import MAX_DEPTH, from_yaml, most, too_deep, words_of
from agentjobs.cli.files.header import HeaderError, from_spec, kebab, keys, to_spec
from agentjobs.cli.kube import Json
from agentjobs.core.errors import AgentjobsError

API_VERSION: Final = "agentjobs.dev/v1alpha1"
OPENS: Final = "# /// script"
CLOSES: Final = "# ///"
TEXTS: Final = frozenset(
    {
        "name",
        "description",
        "schedule",
        "time-zone",
        "start-date",
        "once",
        "session",
        "concurrency-policy",
        "workspace",
    }
)
"""Keys that take the rest of a comment as it is.

That of others is YAML: a number, true, or a {table: in braces}."""
ALIKE: Final = 0.85
"""From this likeness on (of 1) the first word of a comment counts as a key that is written
wrong."""
MAX_HEADER: Final = 128 * 1024
"""Characters.

The parsers of headers are slower than their texts are long, so a header is no place for data."""
MAX_DOTS: Final = 1_000
"""In a line: keys with dots take the square of their number."""
_DIGITS: Final = "0123456789infa_"
_PLAIN_LINE: Final = re.compile(r"#\s*([a-z-]{1,64})\s*:(.*)")
_TOML_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Header:
    """What a file says of its job.

    `lines`: where each key stands, by its path where that is known, `window.cron`; empty: the
    header.
    """

    fields: Json
    lines: Mapping[str, int]


class ScriptError(AgentjobsError):
    """A mistake in a header. `line` counts from 1."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line = line
        self.remedy = remedy


def manifest(stem: str, text: str) -> tuple[Json, Header] | None:
    """The job of a script, and its header; None for a script that has none.

    `stem`: the file's name without .py. Raises ScriptError.
    """
    header = read(text)
    if header is None:
        return None
    try:
        spec = to_spec(header.fields)
    except HeaderError as error:
        raise ScriptError(
            header.lines.get(error.key, header.lines[""]),
            f"{error.key}: {error}",
            "correct that line",
        ) from None
    return job(
        str(header.fields.get("name", stem.replace("_", "-"))), {**spec, "script": {"inline": text}}
    ), header


def job(name: str, spec: Json) -> Json:
    """A ScheduledAgentJob, its description first and its text last."""
    last = ("script", "agent")
    ordered = {
        field: spec[field]
        for field in sorted(spec, key=lambda field: (field != "description", field in last))
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ScheduledAgentJob",
        "metadata": {"name": name},
        "spec": ordered,
    }


def read(text: str) -> Header | None:
    """The block's table, else the comments at the top; packages come from the block's dependencies.

    Raises ScriptError.
    """
    lines = text.split("\n")
    block = _block(lines)
    data = _parsed(*block) if block else {}
    table = data.get("tool", {}).get("agentjobs") if block else None
    plain = None if table is not None else _comments(lines)
    if table is None and plain is None:
        return None
    found = Header(table, _places(block[0], block[1])) if block and table is not None else plain
    if found is None:
        raise AssertionError("one of the two is there")
    packages = data.get("dependencies")
    places = {
        **found.lines,
        **({"packages": _places(*block).get("dependencies", block[0])} if block else {}),
    }
    return Header({**found.fields, **({"packages": packages} if packages else {})}, places)


def _block(lines: list[str]) -> tuple[int, list[str]] | None:
    """The line on which the block begins, counted from 1, and what stands in it."""
    stripped = [line.rstrip("\r") for line in lines]
    if OPENS not in stripped:
        return None
    start = stripped.index(OPENS)
    inside: list[str] = []
    for number, line in enumerate(stripped[start + 1 :], start=start + 2):
        if line == CLOSES:
            if OPENS in stripped[number:]:
                raise ScriptError(
                    stripped.index(OPENS, number) + 1, "there is a second script block", "keep one"
                )
            return start + 1, inside
        if line != "#" and not line.startswith("# "):
            break
        inside.append(line[2:])
    raise ScriptError(
        start + 1,
        'the block that begins here has no end: a line "# ///"',
        'begin each line in it with "# " and end it so',
    )


def _parsed(start: int, inside: list[str]) -> dict[str, Any]:
    check_size(inside, start)
    try:
        data = tomllib.loads("\n".join(inside))
        json.dumps(data, default=str, allow_nan=False)
    except tomllib.TOMLDecodeError as error:
        match = _TOML_LINE.search(str(error))
        line = start + int(match[1]) if match else start + len(inside)
        message = _TOML_LINE.sub("", str(error))
        raise ScriptError(
            line, f"this is not TOML: {message}", "put texts into double quotes, for example"
        ) from None
    except RecursionError:
        raise ScriptError(
            start + 1 + most(inside, "[{"),
            f"it is nested more than {MAX_DEPTH} levels deep",
            "write it flatter",
        ) from None
    except ValueError:
        raise ScriptError(
            start + 1 + most(inside, _DIGITS),
            "a number is not valid, or has too many digits",
            "write it as text",
        ) from None
    if too_deep(data):
        raise ScriptError(
            start + 1 + most(inside, "[{."),
            f"it is nested more than {MAX_DEPTH} levels deep",
            "write it flatter",
        )
    tool = data.get("tool", {})
    table = tool.get("agentjobs", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise ScriptError(
            start,
            "tool.agentjobs is not a table",
            "write [tool.agentjobs], and a key on each line below it",
        )
    return data


def check_size(lines: Sequence[str], start: int) -> None:
    """Raises ScriptError. `start`: the line on which the header begins."""
    if sum(map(len, lines)) > MAX_HEADER:
        raise ScriptError(
            start,
            f"the header has more than {MAX_HEADER} characters",
            "keep data in the script, or in the workspace",
        )
    for number, line in enumerate(lines, start=start + 1):
        if line.count(".") > MAX_DOTS:
            raise ScriptError(
                number,
                f"it is nested more than {MAX_DEPTH} levels deep",
                "write it flatter, or in several lines",
            )


def _places(start: int, inside: list[str]) -> dict[str, int]:
    """Where each key begins; a table's head counts for its own last word."""
    found = {"": start}
    for number, line in enumerate(inside, start=start + 1):
        match = re.match(r"\s*(?:\[+tool\.agentjobs\.)?([A-Za-z0-9_-]+)", line)
        if match:
            found.setdefault(kebab(match[1]), number)
        if line.strip() == "[tool.agentjobs]":
            found[""] = number
    return found


def _comments(lines: list[str]) -> Header | None:
    """`# key: value` before the first line of the program. Other comments are comments."""
    fields: Json = {}
    places: dict[str, int] = {}
    found: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            break
        match = _PLAIN_LINE.match(line)
        if match and match[2].strip():
            found.append((number, match[1], match[2].strip()))
    if "description" not in {key for _, key, _ in found}:
        return None
    known = {"name", *keys()}
    for number, key, text in found:
        if key in places:
            raise ScriptError(number, f"{key} stands here a second time", "keep one")
        if key in known:
            fields[key], places[key] = _value(number, key, text), number
        elif meant := get_close_matches(key, known, 1, ALIKE):
            raise ScriptError(
                number,
                f"{key} is not a key of a header",
                f"write {meant[0]}, or other words if it is only a comment",
            )
    return Header(fields, {"": min(places.values()), **places})


def _value(number: int, key: str, text: str) -> Any:
    try:
        return text if key in TEXTS else from_yaml(text)[0]
    except IndexError:
        raise ScriptError(
            number, f"{key}: this is not YAML", "write a number, true, or {A: b} for example"
        ) from None
    except yaml.YAMLError as error:
        raise ScriptError(
            number,
            f"{key}: this is not YAML: {words_of(error)}",
            "write a number, true, or {A: b} for example",
        ) from None


def written(name: str, spec: Json, body: str) -> str:
    """A script with this header before `body`; a first line that begins with #! stays first."""
    header = from_spec(name, spec)
    packages = header.pop("packages", [])
    inside = [*([f"dependencies = {_toml(packages)}"] if packages else []), "[tool.agentjobs]"]
    inside += [f"{_key(key)} = {_toml(value)}" for key, value in header.items()]
    block = "\n".join([OPENS, *(f"# {line}" for line in inside), CLOSES])
    first, newline, rest = body.partition("\n")
    return f"{first}\n{block}\n{rest}" if first.startswith("#!") and newline else f"{block}\n{body}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # Of JSON's texts only one character is none of TOML's.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _toml(key)
