"""What an approver is asked, as labels and the lines below each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agentjobs.present.text import Json, Line, at, lines_of, named, one_line, span, visible

LABELS: Final = {
    "description": "Purpose",
    "schedule": "Schedule",
    "nextStarts": "Next",
    "warnings": "Warning",
    "triggers": "Triggers",
    "session": "Session",
    "packages": "Packages",
    "variables": "Variables",
    "secrets": "Secrets",
    "claims": "Volumes",
    "tools": "Tools",
    "model": "Model",
    "timeoutSeconds": "Limit",
    "changes": "Changes",
    "digest": "Digest",
}
"""In the order in which they are read.

What a newer operator adds comes at the end, under its own name."""
_ABOVE: Final = ("name",)


def entries(job: Json, *, changes: bool = True) -> Iterator[tuple[Line, list[Line]]]:
    """The fields of a job's card in the order in which they are read.

    Without `changes` where the whole difference follows.
    """
    card: Json = at(job, "status", "card") or {}
    yield visible("In force"), _in_force(job)
    for field in (*LABELS, *sorted(card.keys() - LABELS.keys() - set(_ABOVE))):
        if changes or field != "changes":
            yield _label(field, job), _words(field, card.get(field))


def _in_force(job: Json) -> list[Line]:
    """Where the card is of a change: by which schedule the approved content goes on meanwhile."""
    if at(job, "status", "approval", "state") != "Changed" or not at(job, "status", "schedule"):
        return []
    start = at(job, "status", "nextRunAt")
    told = f"{at(job, 'status', 'schedule')}{f', next {start}' if start else ''}"
    return [one_line(f"{told}; what follows is the change")]


def _label(field: str, job: Json) -> Line:
    if field == "changes" and not at(job, "status", "approval", "digest"):
        return visible("Content")
    return one_line(LABELS.get(field, field))


def _words(field: str, value: Any) -> list[Line]:
    if field == "timeoutSeconds" and isinstance(value, int):
        return [span(value)]
    if field == "description":
        return lines_of(str(value)) if value else []
    if field == "changes":
        return [visible(line) for entry in value or () for line in str(entry).split("\n")]
    if isinstance(value, list):
        return [named(entry) for entry in value]
    return [] if value in (None, "", {}) else [named(value)]
