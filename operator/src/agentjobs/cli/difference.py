"""What changed between two contents, line by line. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from agentjobs.cli.text import Json, painted, visible

_COLOURS: Final = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def spec_lines(spec: Json | None) -> list[str]:
    """A spec as YAML, scripts as blocks; nothing hidden in it."""
    if spec is None:
        return []
    from agentjobs.cli.documents import to_yaml

    return visible(to_yaml(dict(spec))).splitlines()


def unified(before: Json | None, after: Json | None, names: tuple[str, str]) -> list[str]:
    """As `diff -u` has it; empty when nothing changed."""
    return [line.rstrip("\n") for line in difflib.unified_diff(spec_lines(before), spec_lines(after), *names, lineterm="")]


def coloured(lines: Iterable[str], *, colour: bool) -> Iterator[str]:
    """Added lines green, removed ones red."""
    for line in lines:
        yield painted(line, next((name for start, name in _COLOURS if line.startswith(start)), "") if colour else "")
