"""What changed between two contents, line by line. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentjobs.core.content import compare
from agentjobs.present.text import Json, Line, visible

_INDENT: Final = "  "
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.@=+-]*(?: [A-Za-z0-9_/.@=+-]+)*")
_WORDS: Final = frozenset("true false yes no on off null y n".split())
"""Texts that YAML would take for something else."""


def unified(before: Json | None, after: Json | None, names: tuple[str, str]) -> list[Line]:
    """Two specs as `diff -u` has it; empty when nothing changed.

    Each is written like YAML, a text of several lines as its lines.

    Compared is what stands there, and only then shown: a character and the words that tell it are
    not the same.
    """
    old, new = (list(_outline(spec, "")) if spec else [] for spec in (before, after))
    return [visible(_ended(line)) for line in compare.unified(old, new, names)]


def _outline(value: Any, indent: str) -> Iterator[str]:
    """The lines below a key.

    A line of a text never stands where a key does: it is indented further than its own key.
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _entry(f"{indent}{_scalar(str(key))}:", part, indent + _INDENT)
    elif isinstance(value, list | tuple):
        for part in value:
            if isinstance(part, Mapping | list | tuple) and part:
                first, *others = _outline(part, indent + _INDENT)
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from others
            else:
                yield from _entry(f"{indent}-", part, indent + _INDENT)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        whole = value.endswith("\n")
        yield f"{head} {'|' if whole else '|-'}"
        for line in (value[:-1] if whole else value).split("\n"):
            yield f"{indent}{line}" if line else ""
    elif isinstance(value, Mapping | list | tuple) and value:
        yield head
        yield from _outline(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _ended(line: str) -> str:
    """With the blanks at its end told: two lines may differ by them alone."""
    text = line.rstrip(" ")
    count = len(line) - len(text)
    return f"{text}<U+0020 SPACE{f' x{count}' if count > 1 else ''}>" if text and count else line


def _scalar(value: Any) -> str:
    """In one line: quoted as JSON has it unless it is plain."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
