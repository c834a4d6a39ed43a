"""What a card says about a content besides its own fields. Bounded.

For a first content: what the card's own fields do not show, its script or instructions included.
Later: what differs from the content in force, field by field, long texts as a unified diff.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from agentjobs.core.content.compare import differences, unified
from agentjobs.core.content.confusables import visible
from agentjobs.core.content.digest import Content

MAX_LINES: Final = 120
MAX_LINE: Final = 500
MAX_CHARACTERS: Final = 12_000
MAX_COMPARED: Final = 1_000
"""Lines from the first change to the last.

Where there are more, only the new text is shown, since a card has no room for both."""
_NONE: Final = "(none)"
_ON_CARD: Final = (
    *("description", "schedule.cron", "schedule.timeZone", "session", "packages"),
    *("workspace", "timeoutSeconds", "agent.tools", "agent.model"),
)
"""Fields whose values other fields of a card show whole.

A field that is added to the API later is not among them, and so is shown."""


def changes(before: Content | None, after: Content) -> tuple[str, ...]:
    """The lines for a card.

    The last one says how many are left out. `before`: the content in force; None: there is none.
    """
    return _bounded(_changes(_spec(before), _spec(after)) if before else _first(_spec(after)))


def _bounded(lines: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    room, left_out = MAX_CHARACTERS, 0
    for line in lines:
        shown = "" if left_out else visible(line, MAX_LINE)
        if left_out or len(kept) == MAX_LINES or len(shown) > room:
            left_out += 1
            continue
        kept.append(shown)
        room -= len(shown)
    if left_out:
        kept.append(
            f"({left_out} more lines are not shown: read the whole texts before you approve)"
        )
    return tuple(kept)


def _first(spec: dict[str, Any]) -> Iterator[str]:
    """Yields each field that the card does not show otherwise, multi-line texts as added lines."""
    for path, value in sorted(_fields("", spec)):
        if path.startswith(_ON_CARD):
            continue
        if isinstance(value, str) and "\n" in value:
            yield f"{path}:"
            yield from (f"+{line}" for line in value.removesuffix("\n").split("\n"))
        else:
            yield f"{path}: {json.dumps(value, ensure_ascii=False)}"


def _spec(content: Content) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(content.document)["spec"]
    return spec


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    old, new = dict(_fields("", before)), dict(_fields("", after))
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) == new.get(path):
            continue
        texts = [side.get(path, "") for side in (old, new)]
        if all(isinstance(text, str) for text in texts) and any("\n" in text for text in texts):
            yield from _text(path, *texts)
        else:
            yield f"{path}: {_value(old, path)} -> {_value(new, path)}"


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yields leaves with paths as people write them: variables by name, other lists whole."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _fields(f"{path}.{name}" if path else name, part)
    elif isinstance(value, list) and value and all(map(_is_named, value)):
        yield f"{path} (order)", [entry["name"] for entry in value]
        for entry in value:
            others = {key: part for key, part in entry.items() if key != "name"}
            yield from _fields(f"{path}[{entry['name']}]", others)
    else:
        yield path, value


def _is_named(entry: Any) -> bool:
    return isinstance(entry, dict) and "name" in entry


def _value(side: dict[str, Any], path: str) -> str:
    return json.dumps(side[path], ensure_ascii=False) if path in side else _NONE


def _text(path: str, before: str, after: str) -> Iterator[str]:
    old, new = before.split("\n"), after.split("\n")
    spans = differences(old, new)
    removed = old[spans[0].old_from : spans[-1].old_to]
    added = new[spans[0].new_from : spans[-1].new_to]
    if max(len(removed), len(added)) > MAX_COMPARED:
        # Too long for a diff on a card: only the new text is shown.
        yield f"{path}: line {spans[0].old_from + 1}: {len(removed)} lines -> {len(added)} lines"
        yield from (f"+{line}" for line in added)
        return
    yield from unified(old, new, (path, path))
